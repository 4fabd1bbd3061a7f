import { UUID } from '@lumino/coreutils';
import { NO_ANSWER, problemIn, type Problem } from './api';

/**
 * Sends what people say, each thing under an id of its own. What was sent and not answered, and is
 * sent again, has the id that it had: the server puts it on record once.
 */
export class Outbox {
  /** What stands in the way, if anything does. */
  async send(said: object, send: (id: string) => Promise<unknown>): Promise<Problem | null> {
    const words = JSON.stringify(said);
    const id = this._unanswered.get(words) ?? UUID.uuid4();
    this._unanswered.delete(words);
    try {
      await send(id);
      return null;
    } catch (error) {
      const problem = problemIn(error);
      if (problem.code === NO_ANSWER) {
        this._unanswered.set(words, id);
      }
      return problem;
    }
  }

  private readonly _unanswered = new Map<string, string>();
}
