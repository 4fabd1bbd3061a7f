// Generated from protocol/schemas/messages.schema.json by `npm run types`: do not edit.

/**
 * What the server pushes to a browser. data of state is null while the notebook is no investigation; me is who the browser's user is here.
 */
export type StreamMessage =
  | {
      type: 'state';
      data: InvestigationState | null;
      me: Me;
    }
  | {
      type: 'delta';
      data: InvestigationDelta;
    }
  | {
      type: 'error';
      data: Error;
    };

/**
 * What broker, server, kernel and browser say to each other. Times are RFC 3339 in UTC; digests are sha256:<hex>; maps are keyed by id.
 */
export interface Messages {
  [k: string]: unknown;
}
/**
 * Half-open, RFC 3339, UTC.
 */
export interface WindowDict {
  start: string;
  end: string;
}
/**
 * Which run of which cell asks: the join between a query and its cell.
 */
export interface RunRef {
  id: string;
  cell: string;
}
/**
 * A query that tests a hypothesis, and what its answer is if the claim is true: ``expect`` is "interesting", "not interesting", or a condition over the answer's columns.
 */
export interface Expectation {
  hypothesis: string;
  expect: string;
}
/**
 * What one query may use; absent means the broker's default, which is also the most.
 */
export interface QueryLimits {
  rows?: number;
  seconds?: number;
}
/**
 * One question: a template with parameters, or free SQL with bound values.
 */
export interface QueryRequest {
  template?: string;
  version?: number;
  sql?: string;
  params?: {
    [k: string]: unknown;
  };
  investigation?: string;
  pin?: number;
  run?: RunRef;
  test?: Expectation;
  limits?: QueryLimits;
  where?: string;
  parent?: string;
}
/**
 * What is wanted of an archive. Slices larger than a default are refused; an explicit cap cuts them. ``redact`` is a policy beside the store's own.
 */
export interface ArchiveWishes {
  max_slice_rows?: number;
  max_slice_mb?: number;
  redact?: {
    [k: string]: unknown;
  };
}
/**
 * A notebook, to be frozen together with its investigation.
 */
export interface ArchiveRequest {
  notebook: {
    [k: string]: unknown;
  };
  wishes?: ArchiveWishes;
}
/**
 * Which template, exactly: the digest is over the file's bytes.
 */
export interface TemplateRef {
  id: string;
  version: number;
  digest: string;
}
/**
 * Whether an answer is interesting, and how much it says. ``interesting`` is None where no rule exists (free SQL) or there were no rows to judge.
 */
export interface Verdict {
  interesting: boolean | null;
  reason: string;
  rows: number;
  interesting_rows: number;
  warnings: string[];
}
/**
 * How a replay may compare this result, set at capture by lint.
 */
export interface Compare {
  mode: 'ordered' | 'unordered' | 'tolerance' | 'shape' | 'none';
  reason: string;
}
/**
 * What a test said about its hypothesis. No data is inconclusive, never support.
 */
export interface TestOutcome {
  hypothesis: string;
  expect: string;
  outcome: 'supported' | 'refuted' | 'inconclusive';
  reason: string;
  /**
   * What the hypothesis was held to be until this test; left out where that still stands.
   */
  fell_from?: 'root_cause' | 'contributing';
}
/**
 * What a Python function in a kernel found out about a hypothesis: it says so itself (supports), or brings rows that the broker holds against the condition expect.
 */
export interface FunctionTest {
  hypothesis: string;
  name: string;
  expect: string;
  supports?: boolean | null;
  reason?: string;
  /**
   * @maxItems 10000
   */
  evidence?: {
    [k: string]: unknown;
  }[];
  /**
   * @maxItems 1000
   */
  queries?: string[];
  source_digest: string;
  result_digest: string;
  elapsed_ms: number;
  run?: RunRef;
}
/**
 * Which Python step ran after a template's SQL, and the package that brought it.
 */
export interface StepRef {
  name: string;
  version: string;
}
/**
 * A question that rows of an answer lead to. A row gives ``params``, and for each entry of ``columns`` its value there; ``rows`` are the positions of the rows that it makes sense for, of the first thousand, null for any row.
 */
export interface NextStep {
  template: string;
  title: string;
  question: string;
  params: {
    [k: string]: unknown;
  };
  columns: {
    [k: string]: string;
  };
  rows: number[] | null;
}
/**
 * What comes with the rows.
 */
export interface Answer {
  query: string;
  template: TemplateRef | null;
  title: string;
  question: string;
  params: {
    [k: string]: unknown;
  };
  pin: number;
  rows: number;
  digest: string;
  unordered_digest: string | null;
  verdict: Verdict;
  compare: Compare;
  chart: {
    [k: string]: unknown;
  } | null;
  next: NextStep[];
  test: TestOutcome | null;
  elapsed_ms: number;
  columns?: {
    [k: string]: string;
  };
  error: {
    [k: string]: string;
  } | null;
}
/**
 * One test with its last outcome. judge tells who found the outcome; replaced is set once the cell of the test tested something else instead.
 */
export interface HypothesisTest {
  id: string;
  name: string;
  expect: string;
  outcome: 'supported' | 'refuted' | 'inconclusive';
  reason: string;
  judge: 'broker' | 'kernel';
  query: string | null;
  run: string | null;
  cell: string | null;
  at: string;
  elapsed_ms: number;
  source_digest: string | null;
  result_digest: string | null;
  replaced: boolean;
}
/**
 * A claim with its prediction. evidence holds ids of queries and uids of cells; prediction_late: it was written or changed after a test had begun; why is the reason of the state; override, why it is published although its tests do not show it.
 */
export interface Hypothesis {
  id: string;
  text: string;
  prediction: string;
  prediction_late: boolean;
  state:
    | 'proposed'
    | 'testing'
    | 'supported'
    | 'refuted'
    | 'inconclusive'
    | 'root_cause'
    | 'contributing'
    | 'ruled_out';
  why: string;
  override: string;
  by: string;
  at: string;
  evidence: string[];
  tests: {
    [k: string]: HypothesisTest;
  };
  judged: Judged | null;
  cell: string | null;
  superseded_by: string | null;
}
/**
 * Who brought a hypothesis to its state, themselves or by a test, and when.
 */
export interface Judged {
  by: string;
  at: string;
}
/**
 * A file that a cell read.
 */
export interface FileRef {
  name: string;
  size: number;
  digest: string;
}
/**
 * The last replay of an archive of this investigation.
 */
export interface Replay {
  verdict: string;
  at: string;
  by: string;
}
/**
 * One run of one cell, under the id of its execute_request.
 */
export interface Step {
  id: string;
  seq: number;
  cell: string;
  kernel: string | null;
  by: string;
  started: string;
  ended: string | null;
  status: 'running' | 'ok' | 'error' | 'aborted' | 'unknown';
  error: string | null;
  duration_ms: number | null;
  source_digest: string;
  outputs_digest: string | null;
  queries: string[];
  files: FileRef[];
  /**
   * Of the last replay of an archive that has this run.
   */
  replay?: 'same' | 'changed' | 'data missing' | 'error' | 'skipped';
}
/**
 * A recorded query, without its rows. ``scoped`` names the parameters that are what the investigation's scope was when it was asked.
 */
export interface QuerySummary {
  id: string;
  run: string | null;
  cell: string | null;
  at: string;
  template: TemplateRef | null;
  title: string;
  sql: string | null;
  params: {
    [k: string]: unknown;
  };
  pin: number;
  rows: number;
  digest: string | null;
  interesting: boolean | null;
  reason: string;
  compare: Compare;
  ok: boolean;
  error: string | null;
  hypothesis: string | null;
  outcome: string | null;
  where?: string;
  parent?: string | null;
  scoped?: string[];
}
/**
 * A remark, a finding or a decision; because is that of a decision.
 */
export interface Note {
  id: string;
  kind: 'note' | 'finding' | 'decision';
  text: string;
  because: string;
  by: string;
  at: string;
  cell: string | null;
  superseded_by: string | null;
}
/**
 * Who moved the pin last, when and why.
 */
export interface PinMove {
  by: string;
  at: string;
  why: string;
}
/**
 * Something to be done, by whom (empty: by nobody yet), and whether it is.
 */
export interface ActionItem {
  id: string;
  text: string;
  owner: string;
  done: boolean;
  done_by: string | null;
  done_at: string | null;
  by: string;
  at: string;
  cell: string | null;
}
/**
 * A point of the agenda, and the minutes set aside for it.
 */
export interface AgendaItem {
  id: string;
  title: string;
  minutes: number;
}
/**
 * What is to be gone through; since is when the current item began, by who began it.
 */
export interface Agenda {
  items: AgendaItem[];
  current: string | null;
  since: string | null;
  by: string | null;
}
/**
 * Whether a conclusion turned out to be right, as somebody found later.
 */
export interface ConclusionOutcome {
  correct: boolean;
  because: string;
  by: string;
  at: string;
}
/**
 * What the investigation found. ``confidence_percent`` is 0 to 100.
 */
export interface Conclusion {
  root_cause: string;
  confidence_percent: number;
  evidence: string[];
  hypothesis: string | null;
  by: string;
  at: string;
  cell: string | null;
  outcome: ConclusionOutcome | null;
}
/**
 * Everything the panel shows. A delta has the same shape with only what changed.
 */
export interface InvestigationState {
  uid: string;
  title: string;
  severity: string;
  state: 'open' | 'concluded';
  window: WindowDict | null;
  baseline: WindowDict | null;
  services: string[];
  pin: number;
  pinned: PinMove | null;
  notebook: string;
  opened_at: string;
  seq: number;
  head: string;
  hypotheses: {
    [k: string]: Hypothesis;
  };
  steps: {
    [k: string]: Step;
  };
  queries: {
    [k: string]: QuerySummary;
  };
  notes: {
    [k: string]: Note;
  };
  actions: {
    [k: string]: ActionItem;
  };
  agenda: Agenda | null;
  conclusion: Conclusion | null;
  participants: {
    [k: string]: string;
  };
  replay?: Replay | null;
}
/**
 * One line in a list of investigations.
 */
export interface InvestigationSummary {
  uid: string;
  title: string;
  severity: string;
  state: 'open' | 'concluded';
  notebook: string;
  opened_at: string;
  pin: number;
  services: string[];
  root_cause: string | null;
  confidence_percent: number | null;
  correct: boolean | null;
}
/**
 * One line in a list of hypotheses over all investigations.
 */
export interface HypothesisSummary {
  investigation: string;
  title: string;
  id: string;
  text: string;
  prediction: string;
  prediction_late: boolean;
  state:
    | 'proposed'
    | 'testing'
    | 'supported'
    | 'refuted'
    | 'inconclusive'
    | 'root_cause'
    | 'contributing'
    | 'ruled_out';
  why: string;
  override: string;
  evidence: string[];
  by: string;
  at: string;
  superseded_by: string | null;
}
/**
 * The first change after an approval: what is a phrase, as in "cell 3f was run".
 */
export interface Lapse {
  seq: number;
  at: string;
  by: string;
  what: string;
}
/**
 * That somebody moved the review on, and what they had before them: the newest version of the notebook (0 and empty before the first), and the last entry of the ledger.
 */
export interface ReviewStep {
  action: 'request' | 'approve' | 'changes' | 'archive';
  state: 'draft' | 'in_review' | 'approved' | 'changes_requested' | 'archived';
  by: string;
  at: string;
  reason: string;
  revision: number;
  digest: string;
  seq: number;
  head: string;
}
/**
 * What somebody said; never changed.
 */
export interface Comment {
  id: string;
  text: string;
  by: string;
  at: string;
}
/**
 * Comments on one cell or one hypothesis; it has the id of its first comment.
 */
export interface Thread {
  id: string;
  cell: string | null;
  hypothesis: string | null;
  comments: Comment[];
  resolved_by: string | null;
  resolved_at: string | null;
}
/**
 * A template as an investigation used it: by whom this very text was looked through; null for nobody, release for what ships with the product.
 */
export interface TemplateUse {
  id: string;
  version: number;
  digest: string;
  by: string | null;
  at: string | null;
  queries: string[];
}
/**
 * A script that cells used: by whom this very content was looked through; null for nobody. cells are those of the runs that used it.
 */
export interface ScriptUse {
  name: string;
  digest: string;
  by: string | null;
  at: string | null;
  cells: string[];
}
/**
 * How the review of an investigation stands. label says the state in words; lapse is set once an approval no longer holds; actions is what may be done next.
 */
export interface Review {
  investigation: string;
  state: 'draft' | 'in_review' | 'approved' | 'changes_requested' | 'archived';
  label: string;
  actions: ('request' | 'approve' | 'changes' | 'archive')[];
  lapse: Lapse | null;
  revision: number;
  digest: string;
  authors: string[];
  steps: ReviewStep[];
  threads: {
    [k: string]: Thread;
  };
  templates: TemplateUse[];
  scripts?: ScriptUse[];
}
/**
 * One line of what changed: kind is cell, run, hypothesis, comment and so on.
 */
export interface Change {
  kind: string;
  subject: string;
  what: string;
  by: string[];
  at: string;
}
/**
 * What changed in an investigation since a person last looked (null: they never did).
 */
export interface Changes {
  investigation: string;
  who: string;
  since: string | null;
  until: string;
  seq: number;
  changes: Change[];
}
/**
 * One declared parameter; ``required`` says whether a call must give it.
 */
export interface TemplateParam {
  name: string;
  type: 'window' | 'service' | 'string' | 'int' | 'float' | 'bool' | 'choice' | 'duration';
  required: boolean;
  default: string | number | boolean | null;
  min: number | null;
  max: number | null;
  of: string[];
  help: string;
}
/**
 * What to ask after an answer: a template, and where its parameters come from.
 */
export interface TemplateNext {
  template: string;
  when?: string;
  params?: {
    [k: string]: unknown;
  };
}
/**
 * Everything that a person wants to know of a template before asking it; ``example`` is a call to copy, ``picture`` whether there is one of an example result.
 */
export interface TemplateInfo {
  id: string;
  version: number;
  digest: string;
  title: string;
  question: string;
  status: 'draft' | 'stable' | 'deprecated';
  params: TemplateParam[];
  requires: string[];
  returns: {
    [k: string]: string;
  };
  interesting: string;
  covers: string[];
  not_covered: string[];
  chart: {
    [k: string]: unknown;
  } | null;
  references: string[];
  example: string;
  picture: boolean;
  step?: string;
  columns?: {
    [k: string]: string;
  };
  replaced_by?: string;
  next?: TemplateNext[];
}
/**
 * Why a template file is left out; ``file`` is relative to its library's folder.
 */
export interface TemplateProblem {
  file: string;
  line: number | null;
  message: string;
}
/**
 * What can be asked of a store: templates, those that are broken, and services by name.
 */
export interface Gallery {
  templates: TemplateInfo[];
  problems: TemplateProblem[];
  services: string[];
}
/**
 * Who the browser's user is on this server, and what they may do here. ``may`` holds some of: read, comment, edit (notebooks and files), run (code), open (begin an investigation), pin (move it), review (move it on), approve (judge the work of others), close (archive a review), people (give others a role).
 */
export interface Me {
  name: string;
  display_name: string;
  role: 'lead' | 'responder' | 'viewer';
  may: (
    'read' | 'comment' | 'edit' | 'run' | 'open' | 'pin' | 'review' | 'approve' | 'close' | 'people'
  )[];
}
/**
 * Somebody who may log in to this server.
 */
export interface Member {
  name: string;
  display_name: string;
  role: 'lead' | 'responder' | 'viewer';
}
/**
 * What the Jupyter server tells its browsers about the broker.
 */
export interface Status {
  broker: 'starting' | 'ready' | 'unavailable';
  store: string;
  message: string;
}
/**
 * An event as a client reports it; ``id`` makes a repeated report harmless.
 */
export interface EventIn {
  id: string;
  type: string;
  subject: string;
  time: string;
  data: {
    [k: string]: unknown;
  };
  actor?: string;
  role?: 'lead' | 'responder' | 'viewer';
  rationale?: string;
  /**
   * Texts that the data name by digest, kept beside the ledger.
   */
  attached?: {
    [k: string]: string;
  };
}
/**
 * An event as it stands in the ledger (CloudEvents names, then ours).
 */
export interface LedgerEntry {
  seq: number;
  id: string;
  type: string;
  source: string;
  subject: string;
  time: string;
  recorded_time: string;
  investigation: string | null;
  actor: string;
  on_behalf_of: string | null;
  rationale: string;
  payload_digest: string;
  prev: string;
  hash: string;
  data?: {
    [k: string]: unknown;
  } | null;
}
/**
 * A cell by the digests of its parts.
 */
export interface CellManifest {
  uid: string;
  cell: string;
  source: string;
  count: number | null;
  outputs: string[];
}
/**
 * A notebook by the digests of its parts; its own digest is over this, as canonical JSON.
 */
export interface Manifest {
  notebook: string;
  cells: CellManifest[];
}
/**
 * A saved notebook on its way to the record; ``id`` makes a repeated report harmless. ``parts`` holds the text of each part that the record may not have yet; ``by`` tells of single cells who changed them, where that is not everybody in ``actors``.
 */
export interface VersionIn {
  id: string;
  path: string;
  time: string;
  /**
   * @minItems 1
   */
  actors: [string, ...string[]];
  reason: string;
  manifest: Manifest;
  parts: {
    [k: string]: string;
  };
  by: {
    [k: string]: string[];
  };
}
/**
 * A version without its content.
 */
export interface VersionInfo {
  revision: number;
  path: string;
  at: string;
  actors: string[];
  reason: string;
  digest: string;
  seq: number;
  head: string;
  parent: number;
  changes: {
    [k: string]: string;
  };
}
/**
 * That somebody changed a cell: one line of its history.
 */
export interface CellChange {
  revision: number;
  at: string;
  actors: string[];
  reason: string;
  what: string;
}
/**
 * Who last changed a cell, and who last ran it.
 */
export interface BlameLine {
  uid: string;
  text: string;
  changed: CellChange | null;
  run: Step | null;
}
/**
 * The first rows of a kept result, each value as JSON has it or as text.
 */
export interface KeptRows {
  columns: string[];
  rows: unknown[][];
  total: number;
}
/**
 * What a query read of one table; no window: all of it.
 */
export interface TableRead {
  table: string;
  columns: string[];
  window: WindowDict | null;
}
/**
 * A batch that rows came in, and how many of them, by signal.
 */
export interface BatchOrigin {
  batch_id: number;
  name: string;
  format: string;
  received_at: string | null;
  committed_at: string | null;
  contributed: {
    [k: string]: number;
  };
}
/**
 * Where rows came from: a file or a sender, read by an adapter. ``committed`` holds when the first and the last batch came.
 */
export interface SourceOrigin {
  name: string;
  format: string;
  adapter_version: string | null;
  batches: number;
  contributed: number;
  committed: (string | null)[];
}
/**
 * Where an answer comes from; ``says`` tells how much that means.
 */
export interface Origin {
  exact: boolean;
  says: string;
  reads: TableRead[];
  batches: BatchOrigin[];
  batches_total: number;
  sources: SourceOrigin[];
}
/**
 * All that stands behind the answer to one query; ``gap`` says why no origin is told.
 */
export interface Provenance {
  query: QuerySummary;
  statement: string;
  warnings: string[];
  elapsed_ms: number;
  kept: KeptRows | null;
  origin: Origin | null;
  gap: string;
}
/**
 * One line of a source; ``skip`` stands for so many that are the same.
 */
export interface DiffLine {
  kind: 'same' | 'added' | 'removed' | 'skip';
  text: string;
}
/**
 * What became of one cell; its place in each version counts from one. ``what`` is as in `VersionInfo.changes`.
 */
export interface CellDiff {
  uid: string;
  kind: string;
  what: string;
  before: number | null;
  after: number | null;
  lines: DiffLine[];
  outputs_before: string[];
  outputs_after: string[];
}
/**
 * What differs between two versions of a notebook; no ``new``: the notebook as it is.
 */
export interface VersionDiff {
  old: number;
  new: number | null;
  cells: CellDiff[];
  unchanged: number;
  metadata: boolean;
}
/**
 * What belongs into a notebook file: its own metadata, and that of each cell by uid.
 */
export interface NotebookProjection {
  notebook: {
    [k: string]: unknown;
  };
  cells: {
    [k: string]: {
      [k: string]: unknown;
    };
  };
}
/**
 * Only what changed of a state. Maps hold only the entries that are new or changed, each whole; other values replace.
 */
export interface InvestigationDelta {
  uid: string;
  title?: string;
  severity?: string;
  state?: 'open' | 'concluded';
  window?: WindowDict | null;
  baseline?: WindowDict | null;
  services?: string[];
  pin?: number;
  pinned?: PinMove | null;
  notebook?: string;
  opened_at?: string;
  seq: number;
  head: string;
  hypotheses?: {
    [k: string]: Hypothesis;
  };
  steps?: {
    [k: string]: Step;
  };
  queries?: {
    [k: string]: QuerySummary;
  };
  notes?: {
    [k: string]: Note;
  };
  actions?: {
    [k: string]: ActionItem;
  };
  agenda?: Agenda | null;
  conclusion?: Conclusion | null;
  participants?: {
    [k: string]: string;
  };
  replay?: Replay | null;
}
/**
 * An error as it travels: kind is the class, code is stable, hint says what to do next.
 */
export interface ErrorBody {
  error: Error;
}
export interface Error {
  kind: string;
  code: string;
  message: string;
  hint: string;
}
/**
 * What a person says in the browser about a notebook's investigation; see events.schema.json for the data of each type.
 */
export interface RecordIn {
  path: string;
  type: string;
  data: {};
  rationale?: string;
  /**
   * The same when it is said again because no answer came; it goes on record once.
   */
  id?: string;
}
/**
 * Which state of a hypothesis may be chosen from which.
 */
export interface Rules {
  reachable: {
    [k: string]: string[];
  };
}
/**
 * An alert, a deploy, a change of a flag or another event from telemetry.
 */
export interface Happening {
  time: string;
  end_time: string | null;
  kind: string;
  source: string | null;
  service: string | null;
  severity: string | null;
  title: string | null;
  state: string | null;
}
/**
 * How much there is of a signal, and of which time.
 */
export interface SignalExtent {
  rows: number;
  first_time: string | null;
  last_time: string | null;
}
/**
 * What came in at once: a file, or requests of senders within a moment.
 */
export interface Batch {
  batch_id: number;
  committed_at: string;
  name: string;
  format: string;
  bytes: number | null;
  rows: {
    [k: string]: number;
  };
  records: number;
  kept: number;
  duplicates: number;
  quarantined: number;
  first_time: string | null;
  last_time: string | null;
  requests: number | null;
  late?: number | null;
  warnings: string[];
  [k: string]: unknown;
}
/**
 * A service: what the service catalog says of it, and what it sends.
 */
export interface ServiceInfo {
  name: string;
  owner: string | null;
  tier: string | null;
  lifecycle: string | null;
  catalogued: boolean;
  signals: {
    /**
     * Rows and newest record.
     */
    [k: string]: {
      rows: number;
      newest: string | null;
    };
  };
  [k: string]: unknown;
}
/**
 * A record that was put aside.
 */
export interface Refusal {
  batch_id: number;
  name: string | null;
  line: number | null;
  reason: string;
  [k: string]: unknown;
}
/**
 * How ingest is.
 */
export interface IngestStatus {
  now: string;
  newest_record: string | null;
  lag_seconds: number;
  held_bytes: number;
  failing: string | null;
  merge_failures: number;
  refused: {
    [k: string]: number;
  };
  sizes: {
    [k: string]: number;
  };
  free_bytes: number;
  doors: {
    /**
     * Where senders reach it, and who may.
     */
    [k: string]: {
      address: string;
      open_to: string;
    };
  };
  [k: string]: unknown;
}
/**
 * What there is to choose from when an investigation begins.
 */
export interface Catalogue {
  pin: number;
  signals: {
    [k: string]: SignalExtent;
  };
  services: string[];
  batches: Batch[];
  alerts: Happening[];
}
/**
 * What the data panel shows.
 */
export interface DataOverview {
  pin: number;
  signals: {
    [k: string]: SignalExtent;
  };
  services: ServiceInfo[];
  batches: Batch[];
  quarantine: Refusal[];
  status: IngestStatus;
  store: string;
}
/**
 * What the browser sends to begin an investigation: a notebook file is made in the directory.
 */
export interface NewInvestigation {
  title: string;
  severity?: string;
  window?: WindowDict | null;
  baseline?: WindowDict | null;
  services?: string[];
  /**
   * The newest data when null.
   */
  pin?: number | null;
  directory?: string;
  /**
   * The same when it is sent again because no answer came; one notebook is made.
   */
  id?: string;
}
/**
 * The notebook that was made.
 */
export interface NewNotebook {
  path: string;
  uid: string;
}
