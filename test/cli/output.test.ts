import { describe, expect, test } from '@jest/globals';
import stringWidth from 'string-width';
import { duration, shortTime } from '../../src/cli/output/texts.js';
import { printable, printableJson } from '../../src/cli/output/printable.js';
import { progressText } from '../../src/cli/output/progress.js';
import { type Column, renderDescription, renderTable } from '../../src/cli/output/table.js';
import { parseExpiry, parseFuture, parsePast, parseSeconds } from '../../src/cli/input/when.js';

const HOSTILE = '\u001b]0;owned\u0007\r\u009b2J\u202egnp\u2028\u007f';

describe('what a terminal would obey', () => {
  test('is written out, and what people write is left as it is', () => {
    expect(printable(HOSTILE)).toBe('\\u{1b}]0;owned\\u{7}\\u{d}\\u{9b}2J\\u{202e}gnp\\u{2028}\\u{7f}');
    expect(printable('Ünïcode 漢字 🙂 "quoted" \\u{1b}')).toBe('Ünïcode 漢字 🙂 "quoted" \\u{1b}');
  });

  test('is escaped in JSON, which says the same as before', () => {
    const value = { [HOSTILE]: [HOSTILE, 'plain'], line: 'a\nb' };
    for (const indent of [undefined, 2]) {
      const text = printableJson(value, indent);
      expect(JSON.parse(text)).toEqual(value);
      // oxlint-disable-next-line no-control-regex -- line breaks of the layout alone are left
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/);
    }
  });
});

describe('a table', () => {
  interface Row {
    name: string;
    state: string | null;
  }
  const columns: Column<Row>[] = [
    { title: 'name', text: ({ name }) => name },
    { title: 'state', text: ({ state }) => state, style: () => 'red' },
  ];
  const rows = [
    { name: 'short', state: null },
    { name: `a name that is long 漢字漢字漢字 ${HOSTILE}`, state: 'active' },
  ];

  test('shows everything where nobody looks at it', () => {
    const text = renderTable(columns, rows, { width: undefined, hasColours: false });
    const [head, first, second] = text.split('\n');
    expect(head).toMatch(/^NAME +STATE$/);
    expect(first).toMatch(/^short +-$/);
    expect(second).toBe(`${printable(rows[1]?.name ?? '')}  active`);
  });

  test.each([40, 60, 75])('is cut to %d columns, and lines up', (width) => {
    const lines = renderTable(columns, rows, { width, hasColours: false }).trimEnd().split('\n');
    expect(Math.max(...lines.map((line) => stringWidth(line)))).toBeLessThanOrEqual(width);
    expect(lines[2]).toMatch(/… +active$/);
  });

  test('cuts what is copied from it last', () => {
    const [name, state] = columns as [Column<Row>, Column<Row>];
    const lines = renderTable(
      [
        { ...name, isWhole: true },
        { ...state, text: () => 'y'.repeat(90) },
      ],
      rows.slice(0, 1),
      {
        width: 40,
        hasColours: false,
      },
    );
    expect(lines).toMatch(/\nshort  y{32}…\n/);
    const id = [
      { title: 'id', text: () => 'x'.repeat(30), isWhole: true },
      { ...state, text: () => 'y'.repeat(30) },
    ];
    expect(renderTable(id, rows.slice(0, 1), { width: 40, hasColours: false })).toMatch(/\nx{30}  y{7}…\n/);
    expect(renderTable(id, rows.slice(0, 1), { width: 30, hasColours: false })).toMatch(/\nx{23}…  y{3}…\n/);
  });

  test('has colours where they are wanted, which take no room', () => {
    const [, , plain = ''] = renderTable(columns, rows, { width: 40, hasColours: false }).split('\n');
    const [head, , painted = ''] = renderTable(columns, rows, { width: 40, hasColours: true }).split('\n');
    expect(head).toContain('\u001b[1mNAME');
    expect(painted).toContain('\u001b[31mactive');
    expect(stringWidth(painted)).toBe(stringWidth(plain));
  });

  test('a description cuts nothing', () => {
    const text = renderDescription(columns, rows[1] as Row, { hasColours: false });
    expect(text).toBe(`name   ${printable(rows[1]?.name ?? '')}\nstate  active\n`);
  });
});

describe('progress', () => {
  test.each([
    [0, 4_000, '[------------------------] 0 % (0 of 4,000)'],
    [1_000, 4_000, '[######------------------] 25 % (1,000 of 4,000)'],
    [4_000, 4_000, '[########################] 100 % (4,000 of 4,000)'],
    [5, 4, '[########################] 100 % (5 of 4)'],
    [0, 0, '[########################] 100 % (0 of 0)'],
    [1_234, null, '1,234 done'],
  ])('%d of %p', (done, total, text) => {
    expect(progressText(done, total)).toBe(text);
  });
});

describe('times and durations', () => {
  test.each([
    ['90s', 90],
    ['5m', 300],
    ['2h', 7_200],
    ['90d', 7_776_000],
    ['4w', 2_419_200],
    ['1y', 31_536_000],
  ])('%s', (text, seconds) => {
    expect(parseSeconds(text)).toBe(seconds);
  });

  test.each([
    '',
    '90',
    'd',
    '-1d',
    '1.5d',
    '90 d',
    '1M',
    'yesterday',
    '2031-13-01',
    '2031-05-06T07:08:09',
    '05/06/2031',
  ])('%j is refused', (text) => {
    expect(() => parsePast(text)).toThrow(/must be/);
    expect(() => parseExpiry(text)).toThrow(/must be/);
  });

  test('are before or after now, or where they are said to be', () => {
    const inDays = (instant: string): number => Math.round((Date.parse(instant) - Date.now()) / 86_400_000);
    expect([inDays(parsePast('3d')), inDays(parseFuture('3d'))]).toEqual([-3, 3]);
    expect(parsePast('2031-05-06T07:08:09+02:00')).toBe('2031-05-06T05:08:09.000Z');
    expect(parseFuture('2031-05-06')).toBe('2031-05-06T00:00:00.000Z');
    expect(parseExpiry('never')).toBe('never');
  });

  test('are shown short', () => {
    expect([7_776_000, 3_600, 90, 0, null].map(duration)).toEqual(['90d', '1h', '90s', '0s', null]);
    expect([shortTime('2031-05-06T07:08:09.000Z'), shortTime(null)]).toEqual(['2031-05-06 07:08Z', null]);
  });
});
