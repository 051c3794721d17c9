// How long an identity provider takes to make the users of an organization, one request each. See docs/scim.md.
import { Seeder } from './seed.mjs';
import { machine } from './support/machine.mjs';
import { number, readOptions } from './support/options.mjs';
import { makeTokenKeys, startPatois } from './support/patois.mjs';
import { Postgres } from './support/postgres.mjs';
import { bearer, send, withJson } from './support/requests.mjs';
import { fail, keep, run, show } from './support/run.mjs';

const HELP = `node scim.mjs [options]
  --users N  made (10000)
  --lanes N  requests at once (8)`;

const options = readOptions(HELP, { users: number(10_000), lanes: number(8) });
await run(main);

async function main() {
  const { users, lanes } = options;
  const postgres = await keep(Postgres.start());
  const store = { url: await postgres.database('scim'), tokenKeys: makeTokenKeys() };
  const { url } = await keep(startPatois('patois', store));
  const value = await Seeder.use(store, (seeder) => seeder.addToken(seeder.administrator));
  let next = 0;
  let failures = 0;
  const lane = async () => {
    while (next < users) {
      const { isGood } = await send(url, provisioned(value, (next += 1)));
      if (!isGood) failures += 1;
    }
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: lanes }, lane));
  const seconds = (performance.now() - begun) / 1000;
  const text = `${users} users in ${seconds.toFixed(1)} s, ${Math.round(users / seconds)} a second, ${failures} failed`;
  const about = machine(await postgres.version());
  show('scim', { at: new Date().toISOString(), machine: about, options, seconds, failures }, text);
  fail(failures);
}

function provisioned(value, number) {
  return withJson('POST', '/scim/v2/Users', bearer(value), {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    userName: `person${number}@example.org`,
    externalId: `person-${number}`,
    name: { givenName: 'Person', familyName: String(number) },
    emails: [{ value: `person${number}@example.org`, type: 'work', primary: true }],
    active: true,
  });
}
