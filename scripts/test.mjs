// Runs the suite on the embedded database, or on the PostgreSQL server that TEST_DATABASE_URL names.
import { spawnSync } from 'node:child_process';

process.stdout.write(
  process.env.TEST_DATABASE_URL
    ? 'On a PostgreSQL server. test/embedded runs without one only.\n'
    : 'On the embedded database. test/faults and test/cluster run on a server only: TEST_DATABASE_URL=postgres://…\n',
);

// Each file of tests has its modules, and its engine, for some seconds: optimizing what it runs costs more than it gains.
const unoptimized = process.env.TEST_DATABASE_URL ? [] : ['--liftoff-only', '--no-opt'];
const jest = [
  ...unoptimized,
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
];
const { status } = spawnSync(process.execPath, [...jest, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exit(status ?? 1);
