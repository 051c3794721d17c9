import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { SealEventsTask } from '../../src/administration/audit/seal-events.task.js';
import { PruneEventsTask } from '../../src/administration/audit/prune-events.task.js';
import { Pruner } from '../../src/audit/chain/pruner.js';
import { Sealer } from '../../src/audit/chain/sealer.js';
import { Sessions } from '../../src/auth/sessions/sessions.js';
import { PurgeSessionsTask } from '../../src/auth/sessions/purge-sessions.task.js';
import { JobStore } from '../../src/jobs/job-store.js';
import { PurgeJobsTask } from '../../src/jobs/purge-jobs.task.js';
import { Schedule } from '../../src/jobs/schedule.js';
import { TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start({ auditRetentionSeconds: 86_400 });
  // No runs but those of this test.
  await server.app.nest.get(Schedule, { strict: false }).onApplicationShutdown();
});
afterAll(() => server.close());

/** What these tasks do a portion of their work by. */
const TASKS = [
  [SealEventsTask, Sealer, 'seal'],
  [PruneEventsTask, Pruner, 'prune'],
  [PurgeSessionsTask, Sessions, 'purge'],
  [PurgeJobsTask, JobStore, 'purge'],
] as const;

test.each(TASKS)(
  '%p ends behind its portion when the process is about to end',
  async (Task, Worker, method) => {
    const ending = new AbortController();
    const worker = server.app.nest.get<Record<string, () => Promise<boolean>>>(Worker, { strict: false });
    let portions = 0;
    // There is always more to do.
    const spy = jest.spyOn(worker, method).mockImplementation(async () => {
      portions += 1;
      if (portions === 3) ending.abort();
      if (portions > 10) throw new Error('It does not end');
      return true;
    });
    try {
      await server.app.nest
        .get<{ run(ending: AbortSignal): Promise<void> }>(Task, { strict: false })
        .run(ending.signal);
    } finally {
      spy.mockRestore();
    }
    expect(portions).toBe(3);
  },
);
