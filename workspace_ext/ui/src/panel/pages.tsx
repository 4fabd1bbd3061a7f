import * as React from 'react';

const SIZE = 25;
const GUESSED_PX = 56;
const AHEAD = '600px 0px';

/**
 * A long list of which only the pages in sight, and those beside them, are there: a page out of
 * sight is as high as it was, and empty. Pages are counted from the end of the list, where nothing
 * is added, so that what is new at its beginning leaves the others as they are.
 */
export function Pages<T>(props: {
  items: T[];
  keyOf: (item: T) => string;
  draw: (item: T) => React.ReactElement;
}): React.ReactElement {
  const { items, keyOf, draw } = props;
  return (
    <>
      {slices(items, SIZE).map(({ number, part }) => (
        <Page key={number} size={part.length} isFirst={part[0] === items[0]}>
          {() => part.map(item => <React.Fragment key={keyOf(item)}>{draw(item)}</React.Fragment>)}
        </Page>
      ))}
    </>
  );
}

/** The parts of a list, each with its number counted from the list's end. */
function slices<T>(items: T[], size: number): { number: number; part: T[] }[] {
  const found: { number: number; part: T[] }[] = [];
  for (let end = items.length, number = 0; end > 0; end -= size, number += 1) {
    found.unshift({ number, part: items.slice(Math.max(0, end - size), end) });
  }
  return found;
}

function Page(props: {
  size: number;
  isFirst: boolean;
  children: () => React.ReactElement[];
}): React.ReactElement {
  const { size, isFirst, children } = props;
  const node = React.useRef<HTMLOListElement>(null);
  const height = React.useRef<number | null>(null);
  const [isNear, setNear] = React.useState(false);
  React.useEffect(() => {
    const page = node.current;
    if (!page) {
      return;
    }
    const watcher = new IntersectionObserver(
      entries => {
        const last = entries[entries.length - 1];
        if (last && !last.isIntersecting && page.childElementCount > 0) {
          height.current = page.offsetHeight;
        }
        setNear(last?.isIntersecting ?? false);
      },
      { root: page.closest('.jp-Investigation'), rootMargin: AHEAD }
    );
    watcher.observe(page);
    return () => watcher.disconnect();
  }, []);
  return isNear || isFirst ? (
    <ol ref={node}>{children()}</ol>
  ) : (
    <ol ref={node} aria-hidden="true" style={{ height: height.current ?? size * GUESSED_PX }} />
  );
}
