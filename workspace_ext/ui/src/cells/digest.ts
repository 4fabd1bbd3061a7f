import { digest } from 'lib0/hash/sha256';

/**
 * The digest of a source, as the server has it: SHA-256 over its UTF-8 bytes.
 *
 * The browser's own (`crypto.subtle`) is only there for pages that came by HTTPS or from this
 * machine, and answers later.
 */
export function sourceDigest(source: string): string {
  const bytes = digest(new TextEncoder().encode(source));
  return `sha256:${Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** The same, worked out once for each source that a holder has. */
export class Digests<T extends object> {
  of(holder: T, source: string): string {
    const known = this._known.get(holder);
    if (known?.source === source) {
      return known.digest;
    }
    const digest = sourceDigest(source);
    this._known.set(holder, { source, digest });
    return digest;
  }

  private readonly _known = new WeakMap<T, { source: string; digest: string }>();
}
