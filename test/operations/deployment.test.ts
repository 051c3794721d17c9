import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Deployment } from 'kubernetes-models/apps/v1';
import { Job } from 'kubernetes-models/batch/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { Secret, Service, ServiceAccount } from 'kubernetes-models/v1';
import ts from 'typescript';
import { parseAllDocuments } from 'yaml';
import { readConfig, SETTINGS } from '../../src/config.js';
import { buildOnce } from '../support/process.js';
import { describeWith, temporaryFolder } from '../support/programs.js';
import { TestServer } from '../support/server.js';

/** What Kubernetes knows of each kind that the manifests have. */
const KINDS = {
  Deployment: { module: 'kubernetes-models/apps/v1', make: Deployment },
  Job: { module: 'kubernetes-models/batch/v1', make: Job },
  PodDisruptionBudget: { module: 'kubernetes-models/policy/v1', make: PodDisruptionBudget },
  Secret: { module: 'kubernetes-models/v1', make: Secret },
  Service: { module: 'kubernetes-models/v1', make: Service },
  ServiceAccount: { module: 'kubernetes-models/v1', make: ServiceAccount },
};
const FOLDER = 'deploy/kubernetes';
const UNIT = 'deploy/systemd/patois.service';
const ENVIRONMENT = 'deploy/systemd/patois.env.example';
/** See src/serve.ts and src/operations/tracing/: after the requests, what is written, and what is sent of traces. */
const AFTER_REQUESTS_SECONDS = 20 + 2;

// oxlint-disable-next-line no-explicit-any -- manifests have every shape
type Manifest = { kind: keyof typeof KINDS; [key: string]: any };

const manifests = readdirSync(FOLDER).flatMap((name) =>
  parseAllDocuments(readFileSync(join(FOLDER, name), 'utf8')).map((document): [string, Manifest] => {
    const manifest = document.toJS() as Manifest;
    return [`${name}: ${manifest.kind} ${manifest['metadata'].name}`, manifest];
  }),
);
const one = (kind: Manifest['kind']): Manifest => {
  const [, found] = manifests.find(([, manifest]) => manifest.kind === kind) ?? [];
  if (!found) throw new Error(`There is no ${kind}`);
  return found;
};
const variables = new Set(Object.values(SETTINGS).map(({ variable }) => variable));

/** What the compiler says of manifests as literals of their types: keys that are not known are mistakes. */
function mistakesOf(all: Manifest[]): string[] {
  const folder = join('.cache', 'manifests');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'manifests.ts');
  const lines = all.map(({ kind, ...rest }, index) => {
    const type = `import('${KINDS[kind].module}').I${kind}`;
    return `export const m${index}: ${type} = ${JSON.stringify({ ...rest, kind })};`;
  });
  writeFileSync(file, `${lines.join('\n')}\n`);
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
  };
  const program = ts.createProgram([file], options);
  const found = ts.getPreEmitDiagnostics(program);
  rmSync(folder, { recursive: true });
  return found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
}

describe('the manifests for Kubernetes', () => {
  test('have the fields that Kubernetes knows, and no others', () => {
    expect(mistakesOf(manifests.map(([, manifest]) => manifest))).toEqual([]);
    const wrong = structuredClone(one('Deployment'));
    wrong['spec'].template.spec.containers[0].imagePolicy = 'Always';
    expect(mistakesOf([wrong]).join()).toContain('imagePolicy');
  });

  test.each(manifests)('%s is as its schema says', (_name, { kind, apiVersion: _version, ...rest }) => {
    const Kind = KINDS[kind].make as new (fields: object) => { validate(): void };
    expect(() => new Kind(rest).validate()).not.toThrow();
  });

  test('select what they make', () => {
    const { template, selector } = one('Deployment')['spec'];
    const { labels } = template.metadata;
    expect(labels).toMatchObject(selector.matchLabels);
    expect(labels).toMatchObject(one('Service')['spec'].selector);
    expect(labels).toMatchObject(one('PodDisruptionBudget')['spec'].selector.matchLabels);
    expect(one('Job')['spec'].template.metadata.labels).not.toMatchObject(one('Service')['spec'].selector);
    expect(one('PodDisruptionBudget')['spec'].minAvailable).toBeLessThan(one('Deployment')['spec'].replicas);
  });

  test.each(['Deployment', 'Job'] as const)('give a %s no right that it does not need', (kind) => {
    const { spec } = one(kind)['spec'].template;
    expect(spec).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true },
    });
    for (const container of spec.containers) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(container.resources).toMatchObject({ requests: { memory: expect.any(String) } });
    }
  });

  test('leave the process the time that it takes to end', () => {
    const { spec } = one('Deployment')['spec'].template;
    const [container] = spec.containers;
    const settings = Object.fromEntries(
      container.env.map(({ name, value }: { name: string; value: string }) => [name, value]),
    );
    const { shutdownTimeoutSeconds } = readConfig(settings);
    const preStop = Number(container.lifecycle.preStop.exec.command[1]);
    const least = preStop + shutdownTimeoutSeconds + AFTER_REQUESTS_SECONDS;
    expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(least);
  });

  test('name settings that there are, and hold no secret', () => {
    const [container] = one('Deployment')['spec'].template.spec.containers;
    const { stringData } = one('Secret');
    const named = [...container.env.map(({ name }: { name: string }) => name), ...Object.keys(stringData)];
    expect(named.filter((name) => !variables.has(name))).toEqual([]);
    for (const value of Object.values<string>(stringData)) expect(value).toContain('REPLACE_ME');
    for (const kind of ['Deployment', 'Job'] as const) {
      const { envFrom } = one(kind)['spec'].template.spec.containers[0];
      expect(envFrom).toEqual([{ secretRef: { name: one('Secret')['metadata'].name } }]);
    }
  });

  test('run one version', () => {
    const images = (['Deployment', 'Job'] as const).map(
      (kind) => one(kind)['spec'].template.spec.containers[0].image,
    );
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(images).toEqual(Array.from({ length: 2 }, () => `registry.example.com/patois:${version}`));
  });
});

describe('what the manifests ask of a server', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start();
  });
  afterAll(() => server.close());

  test.each(['startupProbe', 'readinessProbe', 'livenessProbe'])('the %s is answered', async (name) => {
    const [container] = one('Deployment')['spec'].template.spec.containers;
    const { path, port } = container[name].httpGet;
    expect((await server.send('GET', path)).status).toBe(200);
    expect(container.ports.map((one: { name: string }) => one.name)).toContain(port);
  });

  test('the job brings a schema up to date, and has nothing to do the second time', () => {
    buildOnce();
    const [command, ...args] = one('Job')['spec'].template.spec.containers[0].command as string[];
    const folder = temporaryFolder('migrate');
    const run = (): string => {
      const { PATH = '' } = process.env;
      const env = { PATH, DATA_DIR: join(folder.path, 'data') };
      const { status, stdout, stderr } = spawnSync(command ?? '', args, { env, encoding: 'utf8' });
      expect([status, stderr]).toEqual([0, expect.any(String)]);
      return stdout + stderr;
    };
    expect(run()).toMatch(/\d+ migrations run/);
    expect(run()).toContain('The schema is up to date');
    folder.remove();
  }, 300_000);
});

describe('the unit for systemd', () => {
  const unit = readFileSync(UNIT, 'utf8');

  test('starts what is built, and leaves it the time that it takes to end', () => {
    expect(unit).toMatch(/^ExecStart=\/usr\/bin\/node dist\/server\/main\.js$/m);
    const seconds = Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]);
    expect(seconds).toBeGreaterThan(SETTINGS.shutdownTimeoutSeconds.fallback + AFTER_REQUESTS_SECONDS);
  });

  test('names settings that there are, and its example can be read', () => {
    const text = readFileSync(ENVIRONMENT, 'utf8');
    const set = [...text.matchAll(/^(?:# )?([A-Z][A-Z_]+)=(.*)$/gm)];
    expect(set.length).toBeGreaterThan(5);
    expect(set.map(([, name = '']) => name).filter((name) => !variables.has(name))).toEqual([]);
    const active = [...text.matchAll(/^([A-Z][A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [name, value]);
    expect(readConfig(Object.fromEntries(active)).logFormat).toBe('json');
  });
});

describeWith(['/usr/bin/systemd-analyze'], 'the unit, read by systemd itself', () => {
  test('has no mistake, and is exposed little', () => {
    const folder = temporaryFolder('systemd');
    const file = join(folder.path, 'patois.service');
    // It is looked up, and need not be here.
    writeFileSync(file, readFileSync(UNIT, 'utf8').replace('/usr/bin/node', process.execPath));
    const run = (...args: string[]): { status: number | null; output: string } => {
      const { status, stdout, stderr } = spawnSync('/usr/bin/systemd-analyze', args, { encoding: 'utf8' });
      return { status, output: stdout + stderr };
    };
    const verified = run('verify', '--man=no', file);
    const secured = run('security', '--offline=true', '--threshold=15', file);
    folder.remove();
    expect(verified).toEqual({ status: 0, output: '' });
    expect(secured.status).toBe(0);
    expect(secured.output).toMatch(/Overall exposure level for patois\.service: 1\.\d OK/);
  });
});

describe('the image', () => {
  const dockerfile = readFileSync('Dockerfile', 'utf8');
  const ignored = readFileSync('.dockerignore', 'utf8').split('\n');

  test('is built of files that are there and not left out, the console among them', () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names = '']) =>
      names.split(' '),
    );
    expect(copied).toContain('console');
    for (const name of copied) {
      expect([name, existsSync(name)]).toEqual([name, true]);
      expect([
        name,
        ignored.some((line) => line === `!${name}` || name.startsWith(`${line.slice(1)}/`)),
      ]).toEqual([name, true]);
    }
    expect(dockerfile).toMatch(/^RUN npm run build\b/m);
  });

  test('does not run as root, and says whether it is well', () => {
    expect(dockerfile).toMatch(/^USER node$/m);
    expect(dockerfile).toMatch(/^HEALTHCHECK [^]*\/healthz/m);
    expect(dockerfile).toMatch(/^CMD \["node", "dist\/server\/main\.js"\]$/m);
  });
});
