import type { NotebookPanel } from '@jupyterlab/notebook';
import { VDomModel } from '@jupyterlab/ui-components';
import { problemIn, type Api, type Problem } from '../api';
import { cellIndex, cellUid } from '../cells';
import type { Proposal } from '../cells/onward';
import type { InvestigationModel } from '../model';
import type { Gallery, QuerySummary, TemplateInfo } from '../types';
import { call } from './call';
import { closest, EVERYTHING, found, type Search } from './search';
import { insert, prelude, whyNotInsert, whyNotRun, type Obstacle } from './target';
import { wrong, type Wrong } from './validation';
import {
  beginning,
  captured,
  carried,
  NO_SCOPE,
  type Given,
  type Scope,
  type Value
} from './values';

/** What a person has before them, as it is kept over a reload. */
export interface Desk {
  search: Search;
  chosen: string | null;
  given: Given;
  /** The answer that led to the question; empty for none. */
  follows: string;
}

/** The templates, what is looked for among them, and the question that is being filled in. */
export class GalleryModel extends VDomModel {
  constructor(api: Api, story: InvestigationModel) {
    super();
    this._api = api;
    this._story = story;
    story.stateChanged.connect(this._onStory, this);
    this._onStory();
  }

  /** What can be asked; null while that is not known. */
  get gallery(): Gallery | null {
    return this._gallery;
  }

  /** Why it is not known, or may be out of date. */
  get problem(): Problem | null {
    return this._problem;
  }

  get search(): Search {
    return this._desk.search;
  }

  /** The templates that are looked for, the best first. */
  get found(): TemplateInfo[] {
    return found(this._gallery?.templates ?? [], this._desk.search);
  }

  /** Those that come near what is looked for, where nothing has all the words. */
  get closest(): TemplateInfo[] {
    return closest(this._gallery?.templates ?? [], this._desk.search);
  }

  /** The template whose form is open; null while the list is. */
  get chosen(): TemplateInfo | null {
    return this.template(this._desk.chosen ?? '') ?? null;
  }

  get given(): Given {
    return this._desk.given;
  }

  /** What the investigation of the notebook in front says of the question. */
  get scope(): Scope {
    return this._story.investigation ?? NO_SCOPE;
  }

  get services(): string[] {
    return this._gallery?.services ?? [];
  }

  /** What is wrong in the form. */
  get wrong(): Wrong {
    return this.chosen ? wrong(this.chosen, this.scope, this.given, this.services) : {};
  }

  /** The code that would be inserted; empty while something in the form is wrong. */
  get code(): string {
    return this.chosen && Object.keys(this.wrong).length === 0
      ? call(this.chosen, this.scope, this.given, prelude(this._story.notebook), this._desk.follows)
      : '';
  }

  get whyNotInsert(): Obstacle | null {
    return whyNotInsert(this._story.notebook, this._mayEdit);
  }

  get whyNotRun(): Obstacle | null {
    return whyNotRun(this._story.notebook, this._mayEdit);
  }

  get desk(): Desk {
    return this._desk;
  }

  template(id: string): TemplateInfo | undefined {
    return this._gallery?.templates.find(template => template.id === id);
  }

  /** Asks the server anew; what is known stays until the answer comes. */
  async refresh(): Promise<void> {
    try {
      this._gallery = await this._api.gallery();
      this._problem = null;
    } catch (error) {
      this._problem = problemIn(error);
    }
    this.stateChanged.emit();
  }

  /** Tries again to have a broker, and then asks. */
  retry(): Promise<void> {
    const read = (): Promise<void> => this.refresh();
    return this._api.again().then(read, read);
  }

  /** The address of a template's example picture, to be given back when it is not shown any more. */
  async picture(id: string): Promise<string> {
    return URL.createObjectURL(await this._api.picture(id));
  }

  look(search: Partial<Search>): void {
    this._put({ search: { ...this._desk.search, ...search } });
  }

  /** Opens a template's form, filled in as far as is known. */
  choose(id: string, given?: Given, follows = ''): void {
    const template = this.template(id);
    this._put({
      chosen: id,
      follows,
      given: given ?? (template ? beginning(template, this.scope) : {})
    });
  }

  /** What another template takes over from the one whose form is open. */
  carried(to: TemplateInfo, params: Readonly<Record<string, unknown>>): Given {
    return this.chosen ? carried(this.chosen, to, params, this.given) : {};
  }

  back(): void {
    this._put({ chosen: null, given: {}, follows: '' });
  }

  /** Gives a parameter a value; undefined lets it stand as template and scope say. */
  give(name: string, value: Value | undefined): void {
    const { [name]: _, ...others } = this._desk.given;
    this._put({ given: value === undefined ? others : { ...others, [name]: value } });
  }

  /** Takes up what was there before a reload. */
  restore(desk: Partial<Desk>): void {
    this._put({
      search: { ...EVERYTHING, ...desk.search },
      chosen: desk.chosen ?? null,
      given: desk.given ?? {},
      follows: desk.follows ?? ''
    });
  }

  /**
   * The question that a cell has asked last; null when it has asked no template.
   *
   * @param node the cell's, else the active one is meant
   */
  asked(node?: HTMLElement): QuerySummary | null {
    const panel = this._story.notebook;
    const cells = panel?.content.widgets ?? [];
    const cell = node ? cells.find(each => each.node === node) : panel?.content.activeCell;
    const uid = cell ? cellUid(cell.model) : null;
    const asked = Object.values(this._story.investigation?.queries ?? {}).filter(
      query => query.cell === uid && query.template !== null
    );
    return asked.sort((a, b) => a.at.localeCompare(b.at)).at(-1) ?? null;
  }

  /** Opens the form of the question that a cell has asked, as it was asked; see `asked`. */
  async again(node?: HTMLElement): Promise<void> {
    const asked = this.asked(node);
    const panel = this._story.notebook;
    if (!panel || !asked?.template || !asked.cell) {
      return;
    }
    panel.content.activeCellIndex = cellIndex(panel, asked.cell); // the next goes below it
    if (this._gallery === null) {
      await this.refresh();
    }
    const template = this.template(asked.template.id);
    this.choose(asked.template.id, template && captured(template, asked.params, this.scope));
  }

  /**
   * Asks what an answer leads to, in a cell below the active one.
   *
   * @returns false where that cannot be: then its form is open, as far as it is filled in
   */
  async onward({ template: id, params, follows }: Proposal): Promise<boolean> {
    if (this._gallery === null) {
      await this.refresh();
    }
    const panel = this._story.notebook;
    const template = this.template(id);
    const given = template && captured(template, params, this.scope);
    if (
      !panel ||
      !given ||
      this.whyNotRun ||
      Object.keys(wrong(template, this.scope, given, this.services)).length > 0
    ) {
      this.choose(id, given, follows);
      return false;
    }
    await insert(panel, call(template, this.scope, given, prelude(panel), follows), true);
    return true;
  }

  /** Puts the question into the notebook, and may run it; false when something stands in the way. */
  async ask(run: boolean): Promise<boolean> {
    const panel = this._story.notebook;
    const obstacle = run ? this.whyNotRun : this.whyNotInsert;
    if (!panel || obstacle || this.code === '') {
      return false;
    }
    await insert(panel, this.code, run);
    return true;
  }

  /** Whether this person may change and run notebooks; the server refuses it in any case. */
  private get _mayEdit(): boolean {
    const may = this._story.me?.may;
    return may === undefined || (may.includes('edit') && may.includes('run'));
  }

  private _put(change: Partial<Desk>): void {
    this._desk = { ...this._desk, ...change };
    this.stateChanged.emit();
  }

  private _onStory(): void {
    const panel = this._story.notebook;
    if (panel !== this._followed) {
      this._followed?.sessionContext.statusChanged.disconnect(this._redraw, this);
      this._followed?.sessionContext.kernelChanged.disconnect(this._redraw, this);
      panel?.sessionContext.statusChanged.connect(this._redraw, this);
      panel?.sessionContext.kernelChanged.connect(this._redraw, this);
      this._followed = panel;
    }
    this._redraw();
  }

  private _redraw(): void {
    this.stateChanged.emit();
  }

  private readonly _api: Api;
  private readonly _story: InvestigationModel;
  private _followed: NotebookPanel | null = null;
  private _gallery: Gallery | null = null;
  private _problem: Problem | null = null;
  private _desk: Desk = { search: EVERYTHING, chosen: null, given: {}, follows: '' };
}
