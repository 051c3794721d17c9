/** What a program learns from how a command ended; docs/cli.md tells the same. */
export const EXIT = {
  ok: 0,
  /** It could not be done: nobody answers, the server failed, a job failed. */
  failed: 1,
  /** The command line, or what it sends, is not understood. */
  usage: 2,
  notFound: 3,
  /** Understood and not allowed: by rights, by a conflict, by a policy. */
  refused: 4,
  /** Ctrl-C, as shells count it. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends a command with words for people and a code for programs. */
export class CommandError extends Error {
  /** @param details one line each, such as what is wrong with each part of the input. */
  constructor(
    message: string,
    readonly exitCode: ExitCode,
    readonly details: readonly string[] = [],
  ) {
    super(message);
    this.name = 'CommandError';
  }
}

export function usageError(message: string): CommandError {
  return new CommandError(message, EXIT.usage);
}
