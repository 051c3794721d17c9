import type { Completed } from './command-tree.js';

/** A script for fish. */
export function fishScript(tree: readonly Completed[]): string {
  const paths = tree.slice(1).map(({ path }) => quoted(path));
  const lines = tree.flatMap(({ path, commands, options }) => {
    const at = `complete -c patois -n ${quoted(`__patois_at ${quoted(path)}`)}`;
    return [
      ...commands.map(({ name, description }) => `${at} -f -a ${quoted(name)} -d ${quoted(description)}`),
      ...options.map(({ flag, description, takesValue, choices, isFile }) => {
        const value = !takesValue ? '' : isFile ? ' -r -F' : ` -x -a ${quoted(choices.join(' '))}`;
        return `${at} -l ${flag.slice(2)}${value} -d ${quoted(description)}`;
      }),
    ];
  });
  return `# fish completion of patois; to load it: patois completion fish | source
function __patois_at
    set -l path patois
    for word in (commandline -opc)[2..-1]
        if contains -- "$path $word" ${paths.join(' ')}
            set path "$path $word"
        end
    end
    test "$path" = "$argv[1]"
end
complete -c patois -f
${lines.join('\n')}
`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
