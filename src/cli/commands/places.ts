import type { Command } from 'commander';
import type { Place } from '../../administration/place.dto.js';
import { type Cli, examples, listOptions } from '../command.js';
import type { Column } from '../output/table.js';
import { shortTime } from '../output/texts.js';
import type { OnWire } from '../server/api.js';
import type { ListOptions } from '../session.js';

const COLUMNS: Column<OnWire<Place>>[] = [
  { title: 'name', text: ({ name }) => name },
  { title: 'id', text: ({ id }) => id, isWhole: true },
  { title: 'numeric id', text: ({ numericId }) => numericId },
  { title: 'created', text: ({ createdAt }) => shortTime(createdAt) },
];

/** `patois organizations` and `patois locations`. */
export function addPlaces(program: Command, cli: Cli): void {
  addNoun(program, cli, 'organizations', 'Research');
  addNoun(program, cli, 'locations', 'Oslo');
}

function addNoun(program: Command, cli: Cli, noun: 'organizations' | 'locations', example: string): void {
  const places = program.command(noun).description(`${noun} of users`);
  const list = places.command('list').description(`lists ${noun}, newest first`);
  listOptions(examples(list, `patois ${noun} list`)).action(async (limits: ListOptions, command: Command) => {
    await cli.session(command).list<Place>(`/patois/v1/${noun}`, {}, limits, COLUMNS);
  });
  const create = places
    .command('create')
    .description(`makes one of the ${noun}`)
    .argument('<name>', '1 to 100 printable characters');
  examples(create, `patois ${noun} create ${example}`).action(
    async (name: string, _options: object, command: Command) => {
      const session = cli.session(command);
      const made = await (await session.api()).send<Place>('POST', `/patois/v1/${noun}`, { body: { name } });
      await session.show(made.body, COLUMNS);
    },
  );
}
