import * as React from 'react';

/** A text of a few lines; Ctrl Enter, or Cmd Enter, sends the form that it stands in. */
export function TextBox(
  props: Omit<React.ComponentProps<'textarea'>, 'onChange'> & { type: (text: string) => void }
): React.ReactElement {
  const { type, ...rest } = props;
  return (
    <textarea
      className="jp-mod-styled"
      rows={2}
      maxLength={2000}
      {...rest}
      onChange={event => type(event.target.value)}
      onKeyDown={sendByKey}
    />
  );
}

function sendByKey(event: React.KeyboardEvent<HTMLTextAreaElement>): void {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    const sends = event.currentTarget.form?.querySelector('button:not([type="button"])');
    (sends as HTMLButtonElement | null)?.click();
  }
}
