import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';
import { templatesIcon } from '../icons';
import { trans } from '../translation';
import type { GalleryModel } from './model';
import { GalleryView, type GalleryActions } from './view';

export const GALLERY_ID = 'investigation-workspace-gallery';

/** The sidebar in which one finds a question and asks it. */
export class GalleryPanel extends ReactWidget {
  constructor(model: GalleryModel, actions: GalleryActions) {
    super();
    this._model = model;
    this._actions = actions;
    this.id = GALLERY_ID;
    this.addClass('jp-Investigation');
    this.title.icon = templatesIcon;
    this.title.caption = trans.__('Templates');
    this.node.style.minWidth = '300px'; // a style sheet would lose to the sidebar's own minimum
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Templates'));
    model.stateChanged.connect(this._onChange, this);
  }

  /** Puts the cursor where one goes on: into the search, or into the first field. */
  focus(): void {
    if (document.activeElement?.matches(`#${GALLERY_ID} :is(input:not([type=search]), select)`)) {
      return; // somebody was quicker, and fills in another field
    }
    const places = ['input, select', 'button'].map(place => this.node.querySelector(place));
    const place = places.find(Boolean) as HTMLElement | undefined;
    place?.focus({ preventScroll: true }); // what a form is about stands above its first field
    if (place instanceof HTMLInputElement && place.type === 'search') {
      place.select(); // the next words replace those of the last time
    }
  }

  protected override onBeforeShow(message: Message): void {
    super.onBeforeShow(message);
    void this._model.refresh();
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this._wantsFocus = true;
    this.update();
  }

  protected override onUpdateRequest(message: Message): void {
    super.onUpdateRequest(message);
    void this.renderPromise?.then(() => {
      if (this._top !== null) {
        this.node.scrollTop = this._top;
        this._top = null;
      }
      if (this._wantsFocus && this._model.gallery) {
        this._wantsFocus = false;
        this.focus();
      }
    });
  }

  protected override render(): React.ReactElement {
    return (
      <UseSignal signal={this._model.stateChanged}>
        {() => <GalleryView model={this._model} actions={this._actions} />}
      </UseSignal>
    );
  }

  /** A list that becomes a form, or a form that becomes a list, takes the cursor along. */
  private _onChange(): void {
    const place = this._model.gallery && (this._model.chosen?.id ?? '');
    if (place !== this._place) {
      this._wantsFocus ||= this.node.contains(document.activeElement);
      this._listTop = this._place === '' ? this.node.scrollTop : this._listTop;
      this._top = place === '' ? this._listTop : 0;
      this._place = place;
      this.update();
    }
  }

  private readonly _model: GalleryModel;
  private readonly _actions: GalleryActions;
  private _place: string | null = null;
  private _wantsFocus = false;
  /** Where the list was left. */
  private _listTop = 0;
  /** Where to scroll to once it is drawn. */
  private _top: number | null = null;
}
