import { Injectable } from '@nestjs/common';
import { Refusal } from '../refusal.js';
import { Semaphore } from '../semaphore.js';

/** More at once would starve all other work. */
const MAX_AT_ONCE = 2;
const MAX_WAITING = 100;

/** The turns of all that takes the time of a slow hash, passwords and imported tokens alike: few at once. */
@Injectable()
export class SlowChecks {
  private readonly turns = new Semaphore(MAX_AT_ONCE, MAX_WAITING, tooManyLogins);

  /**
   * Runs a check when its turn has come.
   *
   * @param line in which it waits: those of one network stand in one.
   * @throws {Refusal} tooMany, when too many wait already.
   */
  run<Result>(line: string, check: () => Promise<Result>): Promise<Result> {
    return this.turns.run(line, check);
  }
}

function tooManyLogins(): Refusal {
  return new Refusal('tooMany', { message: 'Too many logins at once', retryAfterSeconds: 1 });
}
