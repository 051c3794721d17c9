import type { Command, Option } from 'commander';

/** What can be typed at one command: of the tree, as shells complete it. */
export interface Completed {
  /** Words from the program on, such as `patois tokens list`. */
  path: string;
  commands: { name: string; description: string }[];
  options: CompletedOption[];
}

export interface CompletedOption {
  /** Long ones, such as `--status`. */
  flag: string;
  description: string;
  takesValue: boolean;
  /** What its value can be, where that is known. */
  choices: readonly string[];
  isFile: boolean;
}

/** Every command of a program, itself first. */
export function commandTree(program: Command): Completed[] {
  const shared = program.options.flatMap(completedOption);
  const walk = (command: Command, path: string): Completed[] => {
    const below = command.commands.filter((one) => !isHidden(one));
    const own = command === program ? [] : command.options.flatMap(completedOption);
    return [
      {
        path,
        commands: below.map((one) => ({ name: one.name(), description: one.description() })),
        options: [
          ...own,
          ...shared,
          { flag: '--help', description: 'explains it', takesValue: false, choices: [], isFile: false },
        ],
      },
      ...below.flatMap((one) => walk(one, `${path} ${one.name()}`)),
    ];
  };
  return walk(program, program.name());
}

function completedOption(option: Option): CompletedOption[] {
  if (!option.long || option.hidden) return [];
  return [
    {
      flag: option.long,
      description: option.description,
      takesValue: option.required || option.optional,
      choices: option.argChoices ?? [],
      isFile: /<file>/.test(option.flags),
    },
  ];
}

function isHidden(command: Command): boolean {
  return (command as Command & { _hidden?: boolean })._hidden ?? false;
}
