import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import type { Actor } from '../../../src/audit/audit.writer.js';
import type { User } from '../../../src/accounts/user.entity.js';
import { Transactions } from '../../../src/database/transactions.js';
import type { JobKind, JobSpec } from '../../../src/jobs/job-kind.js';
import { JobRunner } from '../../../src/jobs/job-runner.js';
import { Job } from '../../../src/jobs/job.entity.js';
import { Jobs } from '../../../src/jobs/jobs.js';
import { Browser, CHROMIUM, type Visitor } from '../../support/browser.js';
import { promisesOfPage, visiting as visit, type VisitOptions } from '../../support/page-promises.js';
import { describeWith } from '../../support/programs.js';
import { TestServer, type TestUser } from '../../support/server.js';
import { until } from '../../support/until.js';

/** Small portions, one after the other until it is stopped. */
const LASTING: JobKind = {
  kind: 'lasting',
  portion: async () => {
    await pause(100);
    return { done: 1, total: 1_000_000, state: {} };
  },
};
/** Small portions, thirty of them. */
const THIRTY: JobKind = {
  kind: 'thirty',
  portion: async ({ done }) => {
    await pause(100);
    return done === 29 ? { done: 1, result: { found: 'all' } } : { done: 1, total: 30, state: {} };
  },
};
const BROKEN: JobKind = { kind: 'broken', portion: async () => ({ done: 0, problem: 'Nothing is there' }) };

describeWith([CHROMIUM], 'the jobs of the console', () => {
  let browser: Browser;
  let server: TestServer;
  let head: TestUser;
  let member: TestUser;
  let elsewhere: string;
  beforeAll(async () => {
    browser = await Browser.start();
    server = await TestServer.start();
    const runner = server.app.nest.get(JobRunner, { strict: false });
    for (const kind of [LASTING, THIRTY, BROKEN]) runner.register(kind);
    head = await server.makeUser({ login: 'head', role: 'organizationAdministrator' });
    member = await server.makeUser({ login: 'member' });
    elsewhere = (await server.organization('Elsewhere')).id;
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  const visiting = (see: (visitor: Visitor) => Promise<void>, options?: VisitOptions): Promise<void> =>
    visit({ browser, server }, see, options);

  async function begin({ kind }: JobKind, spec: Partial<JobSpec> & { by?: User } = {}): Promise<Job> {
    const { by = await server.admin(), ...rest } = spec;
    const nothing = { address: null, userAgent: null, requestId: null };
    const { id, login, createdAt } = by;
    const createdBy: Actor = { type: 'user', id, auditId: id, name: login, createdAt, ...nothing };
    const jobs = server.app.nest.get(Jobs, { strict: false });
    const job = await server.app.nest
      .get(Transactions, { strict: false })
      .run('test', (transaction) =>
        jobs.start(transaction, { kind, input: {}, createdBy, organizationId: null, ...rest }),
      );
    jobs.runSoon();
    return job;
  }

  const read = ({ id }: Job): Promise<Job> => server.app.dataSource.manager.findOneByOrFail(Job, { id });

  const ended = (job: Job): Promise<void> => until(async () => (await read(job)).endedAt !== null);

  async function stop(job: Job): Promise<void> {
    await server.send('POST', `/patois/v1/jobs/${job.id}/cancel`, { headers: server.asAdmin });
  }

  async function revoked(count: number): Promise<Job> {
    for (let number = 0; number < count; number += 1) {
      await server.issue({ dialect: 'quay', ownerId: member.user.id });
    }
    const body = { filter: { owner: 'member' }, reason: 'test', expectedCount: count };
    const begun = await server.send('POST', '/patois/v1/revocations', { headers: server.asAdmin, body });
    const job = await server.app.dataSource.manager.findOneByOrFail(Job, { id: begun.json.id });
    await ended(job);
    return job;
  }

  test('without jobs the page says when there are some', () =>
    visiting(async ({ page }) => {
      await page.goto('/console/jobs?kind=revocation');
      await page.getByText('No job matches these filters.').waitFor();
      await page.goto('/console/jobs');
      await page.getByText('There are no jobs.').waitFor();
    }));

  test('a page of a job follows it to its end, and asks no more then', () =>
    visiting(async ({ page }) => {
      const job = await begin(THIRTY);
      await page.goto(`/console/jobs/${job.id}`);
      await page.getByRole('progressbar', { name: 'thirty' }).waitFor();
      await page.getByText('It has ended.').waitFor();
      await page.getByText('30 of 30 done').waitFor();
      await page.getByRole('term').getByText('found').waitFor();
      expect((await read(job)).status).toBe('done');
      let asked = 0;
      page.on('request', (request) => (asked += request.url().includes(job.id) ? 1 : 0));
      await pause(3_500);
      expect(asked).toBe(0);
    }));

  test('a job is stopped once that is confirmed, and not before', () =>
    visiting(async ({ page }) => {
      const job = await begin(LASTING);
      await page.goto(`/console/jobs/${job.id}`);
      await page.getByRole('button', { name: 'Stop the job' }).click();
      const dialog = page.getByRole('dialog', { name: 'Stop this job?' });
      await dialog.getByRole('button', { name: 'Cancel' }).click();
      await dialog.waitFor({ state: 'hidden' });
      expect((await read(job)).endedAt).toBe(null);
      await page.getByRole('button', { name: 'Stop the job' }).click();
      await dialog.getByRole('button', { name: 'Stop the job' }).click();
      await page.getByText('The job was stopped', { exact: true }).waitFor();
      expect((await read(job)).status).toBe('cancelled');
      expect(await page.getByRole('button', { name: 'Stop the job' }).count()).toBe(0);
    }));

  test('a stop that does not arrive is told in the dialog, and can be tried again', () =>
    visiting(async (visitor) => {
      const { page } = visitor;
      visitor.expects(503);
      const job = await begin(LASTING);
      await page.goto(`/console/jobs/${job.id}`);
      await page.getByRole('button', { name: 'Stop the job' }).click();
      const dialog = page.getByRole('dialog');
      await page.route('**/cancel', (route) => route.fulfill({ status: 503, json: {} }), { times: 1 });
      await dialog.getByRole('button', { name: 'Stop the job' }).click();
      await dialog.getByRole('alert').getByText('The server could not do it now.').waitFor();
      expect((await read(job)).endedAt).toBe(null);
      await dialog.getByRole('button', { name: 'Stop the job' }).click();
      await dialog.waitFor({ state: 'hidden' });
      await ended(job);
    }));

  test('what came of a job is told in words, and why one has failed', () =>
    visiting(async ({ page }) => {
      const job = await revoked(3);
      await page.goto(`/console/jobs/${job.id}`);
      await page.getByRole('heading', { level: 1, name: 'Revoke many tokens' }).waitFor();
      await page.getByText('3 tokens were revoked.').waitFor();
      const broken = await begin(BROKEN);
      await page.goto(`/console/jobs/${broken.id}`);
      await page.getByRole('alert').getByText('Nothing is there').waitFor();
    }));

  test('the list shows the progress of what runs, and is narrowed by a link', () =>
    visiting(async (visitor) => {
      const { page } = visitor;
      const job = await begin(LASTING);
      await page.goto('/console/jobs');
      const row = page.getByRole('row').filter({ hasText: 'lasting' }).filter({ hasText: 'Running' }).first();
      await row.waitFor();
      const before = await row.innerText();
      await until(async () => (await row.innerText()) !== before);
      await visitor.picture('jobs');
      await page.getByRole('combobox', { name: 'Status' }).click();
      await page.getByRole('option', { name: 'Failed' }).click();
      await page.getByRole('row').filter({ hasText: 'broken' }).waitFor();
      expect(new URL(page.url()).search).toBe('?status=failed');
      await page.reload();
      await page.getByRole('row').filter({ hasText: 'broken' }).waitFor();
      expect(await page.getByRole('row').filter({ hasText: 'lasting' }).count()).toBe(0);
      await stop(job);
    }));

  test('a list that does not arrive is told, and read again on request', () =>
    visiting(async (visitor) => {
      const { page } = visitor;
      visitor.expects(403);
      await page.route('**/patois/v1/jobs**', (route) => route.fulfill({ status: 403, json: {} }));
      await page.goto('/console/jobs');
      await page.getByRole('alert').getByText('You may not do this.').waitFor();
      await page.unroute('**/patois/v1/jobs**');
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.getByRole('table', { name: 'Jobs' }).waitFor();
    }));

  describe('who sees what', () => {
    test('an administrator of an organization sees the jobs of the own alone', async () => {
      const own = await begin(BROKEN, { organizationId: head.user.organizationId });
      const other = await begin(BROKEN, { organizationId: elsewhere });
      await Promise.all([own, other].map(ended));
      await visiting(
        async (visitor) => {
          const { page } = visitor;
          visitor.expects(404);
          await page.goto('/console/jobs');
          await page.locator(`a[href$="${own.id}"]`).waitFor();
          expect(await page.locator(`a[href$="${other.id}"]`).count()).toBe(0);
          await page.goto(`/console/jobs/${other.id}`);
          await page.getByText('It is not there, or it is not yours to see.').waitFor();
        },
        { as: { login: 'head', password: head.password } },
      );
    });

    test('a member sees no list, and the one job that the member has begun', async () => {
      const own = await begin(BROKEN, { by: member.user });
      const other = await begin(BROKEN);
      await Promise.all([own, other].map(ended));
      await visiting(
        async (visitor) => {
          const { page } = visitor;
          visitor.expects(403);
          await page.goto('/console/jobs');
          await page.getByText('There is no such page, or it is not for you.').waitFor();
          expect(await page.getByRole('navigation').getByRole('link', { name: 'Jobs' }).count()).toBe(0);
          await page.goto(`/console/jobs/${own.id}`);
          await page.getByRole('alert').getByText('Nothing is there').waitFor();
          await page.goto(`/console/jobs/${other.id}`);
          await page.getByRole('alert').getByText('You may not do this.').waitFor();
        },
        { as: { login: 'member', password: member.password } },
      );
    });
  });

  describe('the list', () => {
    promisesOfPage(
      () => ({ browser, server }),
      async ({ page }) => {
        await page.goto('/console/jobs');
        await page.getByRole('table').waitFor();
      },
    );
  });

  describe('a job', () => {
    let job: Job;
    beforeAll(async () => {
      job = await revoked(1);
    });
    promisesOfPage(
      () => ({ browser, server }),
      async ({ page }) => {
        await page.goto(`/console/jobs/${job.id}`);
        await page.getByText(job.id).waitFor();
      },
    );
  });
});
