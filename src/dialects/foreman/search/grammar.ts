import { QueryNotSupported } from '../foreman.refusals.js';

/** How a field is compared with a value. The names are Ruby symbols, which refusals show. */
export type Comparator = 'eq' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte' | 'like' | 'unlike';
export type Membership = 'in' | 'notin';

/** What a search asks for. */
export type SearchTree =
  /** All, or at least one, of several conditions; an empty list is no condition. */
  | { kind: 'and' | 'or'; nodes: SearchTree[] }
  | { kind: 'not'; node: SearchTree }
  /** A word without a field. */
  | { kind: 'word'; value: string }
  /** Without a field it applies to the fields of free text. */
  | { kind: 'comparison'; field: string | null; comparator: Comparator; value: string }
  | { kind: 'membership'; field: string; membership: Membership; values: string[] }
  | { kind: 'presence'; field: string; isPresent: boolean }
  /** Valid, but no condition. */
  | { kind: 'anything' };

type Operator =
  Comparator | Membership | 'and' | 'or' | 'not' | 'null' | 'notnull' | 'lparen' | 'rparen' | 'comma';

type Lexeme = { word: string } | { operator: Operator };

// Both tables:
// https://github.com/wvanbergen/scoped_search/blob/master/lib/scoped_search/query_language/tokenizer.rb
const KEYWORDS = new Map<string, Operator>([
  ['and', 'and'],
  ['or', 'or'],
  ['not', 'not'],
  ['set?', 'notnull'],
  ['has', 'notnull'],
  ['null?', 'null'],
  ['before', 'lt'],
  ['after', 'gt'],
  ['at', 'eq'],
]);

const OPERATORS = new Map<string, Operator>([
  ['(', 'lparen'],
  [')', 'rparen'],
  [',', 'comma'],
  ['&', 'and'],
  ['&&', 'and'],
  ['|', 'or'],
  ['||', 'or'],
  ['-', 'not'],
  ['!', 'not'],
  ['~', 'like'],
  ['!~', 'unlike'],
  ['=', 'eq'],
  ['==', 'eq'],
  ['!=', 'ne'],
  ['<>', 'ne'],
  ['>', 'gt'],
  ['<', 'lt'],
  ['>=', 'gte'],
  ['<=', 'lte'],
  ['^', 'in'],
  ['!^', 'notin'],
]);

const COMPARATORS = new Set<string>(['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'like', 'unlike']);
/**
 * Those that are a condition without a field; the others are valid there, but match every row
 * (`default_fields_for` in scoped_search's definition.rb).
 */
const FIELDLESS = new Set<string>(['eq', 'ne', 'like', 'unlike']);

const SPACE = /[ \t\r\n\f\v]/;
/**
 * The characters that end a bare word. Inside a word `! ^ - "` are ordinary, so that `name!=x` is the field
 * `name!`: `tokenize_keyword` in
 * https://github.com/wvanbergen/scoped_search/blob/master/lib/scoped_search/query_language/tokenizer.rb
 */
const END_OF_WORD = /[=~<> \t\r\n\f\v&|)(,]/;

// All limits were decided here: scoped_search has none.
const MAX_LEVELS = 100;
const MAX_PARENTHESES = 1_000;
/** Each is compared with every row that is searched. */
const MAX_TERMS = 100;
/** Of all lists of a search together. */
const MAX_LISTED_VALUES = 1_000;
const MAX_CHARACTERS = 8_192;

/**
 * Reads a search in the language of scoped_search, the library that Foreman uses:
 * https://github.com/wvanbergen/scoped_search/blob/master/lib/scoped_search/query_language/tokenizer.rb
 * https://github.com/wvanbergen/scoped_search/blob/master/lib/scoped_search/query_language/parser.rb
 * `and` and `or` have the same precedence and group to the right (`parse_logical_expression`), operators at
 * the end are dropped (`parse`), and a parenthesis that closes nothing ends the search
 * (`parse_expression_sequence`). Takes time linear in the length of the text, and gives a tree of bounded
 * height with a bounded number of terms.
 *
 * @throws {QueryNotSupported} with the texts of that library, and for its limits with texts of ours.
 */
export function parseSearch(text: string): SearchTree {
  const lexemes = readLexemes(text);
  assertFewParentheses(lexemes);
  if (text.length > MAX_CHARACTERS) throw tooMuch(`${MAX_CHARACTERS} characters`);
  while (lexemes.length > 0 && operatorAt(lexemes, lexemes.length - 1) !== undefined) lexemes.pop();
  return new Parser(lexemes).parse();
}

function readLexemes(text: string): Lexeme[] {
  const lexemes: Lexeme[] = [];
  let at = 0;
  while (at < text.length) {
    const character = text.charAt(at);
    const pair = OPERATORS.get(text.slice(at, at + 2));
    const single = OPERATORS.get(character);
    if (SPACE.test(character)) {
      at += 1;
    } else if (single) {
      lexemes.push({ operator: pair ?? single });
      at += pair && text.length > at + 1 ? 2 : 1;
    } else if (character === '"') {
      const { word, end } = readQuoted(text, at + 1);
      lexemes.push({ word });
      at = end;
    } else {
      let end = at + 1;
      while (end < text.length && !END_OF_WORD.test(text.charAt(end))) end += 1;
      const word = text.slice(at, end);
      const operator = KEYWORDS.get(word.toLowerCase());
      lexemes.push(operator ? { operator } : { word });
      at = end;
    }
  }
  return lexemes;
}

/**
 * A quoted word; `\` makes the next character an ordinary one, and an unclosed word ends with the text:
 * `tokenize_quoted_keyword` in tokenizer.rb. Single quotes do not quote.
 */
function readQuoted(text: string, start: number): { word: string; end: number } {
  const parts: string[] = [];
  let at = start;
  while (at < text.length && text.charAt(at) !== '"') {
    if (text.charAt(at) === '\\') at += 1;
    parts.push(text.charAt(at));
    at += 1;
  }
  return { word: parts.join(''), end: at + 1 };
}

function operatorAt(lexemes: Lexeme[], index: number): Operator | undefined {
  const lexeme = lexemes[index];
  return lexeme && 'operator' in lexeme ? lexeme.operator : undefined;
}

function assertFewParentheses(lexemes: Lexeme[]): void {
  let level = 0;
  let count = 0;
  for (const index of lexemes.keys()) {
    const operator = operatorAt(lexemes, index);
    if (operator === 'lparen') level += 1;
    else if (operator === 'rparen') level = Math.max(0, level - 1);
    else continue;
    count += 1;
    if (level > MAX_LEVELS || count > MAX_PARENTHESES) throw tooDeep();
  }
}

function tooDeep(): QueryNotSupported {
  return new QueryNotSupported(`The search is nested more than ${MAX_LEVELS} levels deep`);
}

function tooMuch(what: string): QueryNotSupported {
  return new QueryNotSupported(`The search has more than ${what}`);
}

/** A node and its number of levels. */
interface Grown {
  node: SearchTree;
  height: number;
}

/** Recursive descent with one lexeme of look-ahead. The names in the comments are those of parser.rb. */
class Parser {
  private at = 0;
  private level = 0;
  private terms = 0;
  private listedValues = 0;

  constructor(private readonly lexemes: readonly Lexeme[]) {}

  parse(): SearchTree {
    return this.sequence().node;
  }

  /**
   * `parse_expression_sequence`: expressions side by side mean `and`, up to the end or a closing parenthesis.
   */
  private sequence(): Grown {
    const parts: Grown[] = [];
    while (this.at < this.lexemes.length && this.peek() !== 'rparen') parts.push(this.expression());
    return joined('and', parts);
  }

  /** Empty parentheses are refused by `OperatorNode#initialize` in ast.rb, other than at the top. */
  private parenthesized(): Grown {
    return this.deeper(() => {
      this.at += 1;
      const sequence = this.sequence();
      if (sequence.node.kind === 'and' && sequence.node.nodes.length === 0) throw noOperands();
      if (this.peek() === 'rparen') this.at += 1;
      return sequence;
    });
  }

  /**
   * `parse_logical_expression`: operands joined by `and` and `or`, without precedence. Each operator takes
   * all that follows as its right side.
   */
  private expression(): Grown {
    const operands: Grown[] = [];
    const operators: ('and' | 'or')[] = [];
    for (;;) {
      // An operator in the place of an operand is skipped, so that a leading `and` is ignored.
      while (this.logicalOperator() !== undefined) this.at += 1;
      operands.push(this.operand());
      const operator = this.logicalOperator();
      if (operator === undefined) break;
      operators.push(operator);
      this.at += 1;
    }
    return groupedToTheRight(operands, operators);
  }

  private operand(): Grown {
    switch (this.peek()) {
      case 'lparen':
        return this.parenthesized();
      case 'not':
        return this.negation();
      default:
        this.countTerms(1);
        return { node: this.comparison(), height: 1 };
    }
  }

  /** `parse_logical_not_expression`: `not` takes one comparison or one parenthesis. */
  private negation(): Grown {
    return this.deeper(() => {
      this.at += 1;
      const { node, height } = this.operand();
      return grown({ kind: 'not', node }, height + 1);
    });
  }

  /** `parse_comparison`: a comma before it is skipped. */
  private comparison(): SearchTree {
    if (this.peek() === 'comma') this.at += 1;
    const operator = this.peek();
    if (operator === undefined) return this.afterWord(this.value());
    this.at += 1;
    return this.withoutField(operator);
  }

  /** `parse_infix_comparison`: a word is a value by itself, or the name of a field if an operator follows. */
  private afterWord(word: string): SearchTree {
    const operator = this.peek();
    if (operator === 'comma') this.at += 1;
    if (operator === 'in' || operator === 'notin') {
      this.at += 1;
      const words = this.peek() === undefined ? [this.value()] : this.values();
      const values = separated(words);
      this.listedValues += values.length;
      if (this.listedValues > MAX_LISTED_VALUES) throw tooMuch(`${MAX_LISTED_VALUES} values in lists`);
      return { kind: 'membership', field: word, membership: operator, values };
    }
    if (operator === undefined || !isComparator(operator)) return { kind: 'word', value: word };
    this.at += 1;
    return { kind: 'comparison', field: word, comparator: operator, value: this.value() };
  }

  /** `parse_prefix_comparison`, `parse_prefix_in` and `parse_null_expression`. */
  private withoutField(operator: Operator): SearchTree {
    if (operator === 'in' || operator === 'notin') {
      const comparator = operator === 'in' ? 'eq' : 'ne';
      const nodes = this.values().map((value): SearchTree => ({
        kind: 'comparison',
        field: null,
        comparator,
        value,
      }));
      if (nodes.length === 0) throw noOperands();
      this.countTerms(nodes.length - 1);
      return { kind: operator === 'in' ? 'or' : 'and', nodes };
    }
    const value = this.value();
    if (operator === 'not') return { kind: 'not', node: { kind: 'word', value } };
    if (operator === 'null' || operator === 'notnull')
      return { kind: 'presence', field: value, isPresent: operator === 'notnull' };
    if (!FIELDLESS.has(operator)) return { kind: 'anything' };
    return { kind: 'comparison', field: null, comparator: operator as Comparator, value };
  }

  /**
   * `parse_multiple_values`: all words up to a closing parenthesis or the end; operators between are skipped.
   */
  private values(): string[] {
    if (this.peek() === 'lparen') this.at += 1;
    const values: string[] = [];
    for (; this.at < this.lexemes.length && this.peek() !== 'rparen'; this.at += 1) {
      const lexeme = this.lexemes[this.at];
      if (lexeme && 'word' in lexeme) values.push(lexeme.word);
    }
    if (this.peek() === 'rparen') this.at += 1;
    return values;
  }

  private value(): string {
    const lexeme = this.lexemes[this.at];
    if (!lexeme || 'operator' in lexeme) {
      // `parse_value`, with Ruby's `inspect` of a symbol or of nil.
      throw new QueryNotSupported(`Value expected but found ${lexeme ? `:${lexeme.operator}` : 'nil'}`);
    }
    this.at += 1;
    return lexeme.word;
  }

  /** The operator that comes next; undefined before a word and at the end. */
  private peek(): Operator | undefined {
    const lexeme = this.lexemes[this.at];
    return lexeme && 'operator' in lexeme ? lexeme.operator : undefined;
  }

  private logicalOperator(): 'and' | 'or' | undefined {
    const operator = this.peek();
    return operator === 'and' || operator === 'or' ? operator : undefined;
  }

  private countTerms(more: number): void {
    this.terms += more;
    if (this.terms > MAX_TERMS) throw tooMuch(`${MAX_TERMS} terms`);
  }

  private deeper(read: () => Grown): Grown {
    this.level += 1;
    if (this.level > MAX_LEVELS) throw tooDeep();
    const result = read();
    this.level -= 1;
    return result;
  }
}

/** `a and b or c` is `a and (b or c)`. Runs of one operator become one node (`simplify` in ast.rb). */
function groupedToTheRight(operands: Grown[], operators: ('and' | 'or')[]): Grown {
  let kind = operators.at(-1) ?? 'and';
  let run = operands.slice(-1);
  for (let index = operators.length - 1; index >= 0; index -= 1) {
    const operator = operators[index] ?? 'and';
    if (operator !== kind) {
      run = [joined(kind, run.reverse())];
      kind = operator;
    }
    run.push(operands[index] as Grown);
  }
  return joined(kind, run.reverse());
}

/** Several nodes in one. Nodes with the same operator are merged, so that a long list of terms stays flat. */
function joined(kind: 'and' | 'or', parts: Grown[]): Grown {
  const [only] = parts;
  if (only && parts.length === 1) return only;
  const nodes: SearchTree[] = [];
  let height = 0;
  for (const { node, height: own } of parts) {
    const isSame = node.kind === kind;
    // Not `push(...nodes)`: a list of terms may be longer than the number of arguments that a call may have.
    if (isSame) for (const inner of node.nodes) nodes.push(inner);
    else nodes.push(node);
    height = Math.max(height, isSame ? own - 1 : own);
  }
  return grown({ kind, nodes }, height + 1);
}

function grown(node: SearchTree, height: number): Grown {
  if (height > 2 * MAX_LEVELS) throw tooDeep();
  return { node, height };
}

function isComparator(operator: Operator): operator is Comparator {
  return COMPARATORS.has(operator);
}

/**
 * The values of a list. A word may itself hold several, separated by commas, and empty ones at the end do not
 * count, as with Ruby's `split`: `preprocess_parameters` in
 * https://github.com/wvanbergen/scoped_search/blob/master/lib/scoped_search/query_builder.rb
 */
function separated(words: string[]): string[] {
  const values = words.join(',').split(',');
  while (values.at(-1) === '') values.pop();
  if (values.length === 0) throw noOperands();
  return values;
}

// `OperatorNode#initialize` in
// https://github.com/wvanbergen/scoped_search/blob/master/lib/scoped_search/query_language/ast.rb
function noOperands(): QueryNotSupported {
  return new QueryNotSupported('Empty list of operands');
}
