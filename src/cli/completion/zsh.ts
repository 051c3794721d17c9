import type { Completed } from './command-tree.js';

/** A script for zsh, to be loaded by compinit as `_patois` or sourced. */
export function zshScript(tree: readonly Completed[]): string {
  const paths = tree.slice(1).map(({ path }) => quoted(path));
  const cases = tree.map(({ path, commands, options }) => {
    const named = commands.map(({ name, description }) => quoted(`${escaped(name)}:${description}`));
    const flags = options.map(({ flag, description }) => quoted(`${escaped(flag)}:${description}`));
    return `    ${quoted(path)}) commands=(${named.join(' ')}) options=(${flags.join(' ')}) ;;`;
  });
  const values = tree.flatMap(({ path, options }) =>
    options
      .filter(({ takesValue }) => takesValue)
      .map(({ flag, choices, isFile }) => {
        const reply = isFile
          ? '_files'
          : choices.length > 0
            ? `compadd -- ${choices.map(quoted).join(' ')}`
            : ':';
        return `    ${quoted(`${path} ${flag}`)}) ${reply}; return ;;`;
      }),
  );
  return `#compdef patois
# zsh completion of patois; to load it: source <(patois completion zsh)
_patois() {
  local path_=patois word
  local -a commands options
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$path_ $word" in
    ${paths.join(' | ')}) path_="$path_ $word" ;;
    esac
  done
  case "$path_ \${words[CURRENT-1]}" in
${values.join('\n')}
  esac
  case "$path_" in
${cases.join('\n')}
  esac
  (( \${#commands} )) && _describe command commands
  [[ "\${words[CURRENT]}" == -* ]] && _describe option options
}
(( \${+functions[compdef]} )) && compdef _patois patois
`;
}

/** A colon ends the name. */
function escaped(name: string): string {
  return name.replaceAll(':', '\\:');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
