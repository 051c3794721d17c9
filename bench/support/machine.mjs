import { availableParallelism, cpus, release, totalmem, type } from 'node:os';

/** What the figures depend on, without the names of anybody's machine. */
export function machine(postgresVersion) {
  const gib = Math.round(totalmem() / 2 ** 30);
  const model = cpus()[0]?.model.replace(/\s+/g, ' ').trim() || 'unknown processor';
  const system = `${type()} ${release().split('.').slice(0, 2).join('.')}`;
  return `${availableParallelism()} cores (${model}), ${gib} GiB, ${system}, Node ${process.versions.node}, PostgreSQL ${postgresVersion}`;
}
