import type { Completed } from './command-tree.js';

/** A script for bash: it knows the whole tree, so that no completion starts a process. */
export function bashScript(tree: readonly Completed[]): string {
  const paths = tree.slice(1).map(({ path }) => quoted(path));
  const words = tree.map(({ path, commands, options }) => {
    const all = [...commands.map(({ name }) => name), ...options.map(({ flag }) => flag)];
    return `    ${quoted(path)}) words=${quoted(all.join(' '))} ;;`;
  });
  const values = tree.flatMap(({ path, options }) =>
    options
      .filter(({ takesValue }) => takesValue)
      .map(({ flag, choices, isFile }) => {
        const reply = isFile
          ? 'COMPREPLY=($(compgen -f -- "$current"))'
          : `words=${quoted(choices.join(' '))}`;
        return `    ${quoted(`${path} ${flag}`)}) ${reply}; isValue=1 ;;`;
      }),
  );
  return `# bash completion of patois; to load it: source <(patois completion bash)
_patois() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  local path=patois word words= isValue=
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path $word" in
    ${paths.join(' | ')}) path="$path $word" ;;
    esac
  done
  COMPREPLY=()
  case "$path $previous" in
${values.join('\n')}
  esac
  if [ -z "$isValue" ]; then
    case "$path" in
${words.join('\n')}
    esac
  fi
  [ -z "$words" ] || COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _patois patois
`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
