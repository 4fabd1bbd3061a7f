/** What the broker measures of a window's data; of its report, what the panel shows. */
export interface Quality {
  window: { start: string; end: string };
  signals: {
    signal: string;
    service: string | null;
    rows: number;
    behind_seconds: number | null;
    gaps: { minutes: number }[];
    late_share: number;
    duplicate_share: number;
  }[];
  warnings: string[];
}
