import { expect } from '@jest/globals';
import type { Received } from './http.js';

/** Asserts a problem of RFC 9457, and the JSON Pointers to what it complains of. */
export function expectProblem(answer: Received, status: number, ...pointers: string[]): void {
  expect([answer.status, answer.text]).toEqual([status, expect.any(String)]);
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json\b/);
  const keys = ['type', 'title', 'status', 'detail', ...(pointers.length > 0 ? ['errors'] : [])];
  expect(Object.keys(answer.json)).toEqual(keys);
  expect(answer.json).toMatchObject({ type: 'about:blank', status, title: expect.any(String) });
  const complaints = (answer.json.errors ?? []) as { pointer: string; detail: string }[];
  // One rule or several of a field may be broken.
  expect([...new Set(complaints.map(({ pointer }) => pointer))]).toEqual(pointers);
  for (const complaint of complaints) expect(Object.keys(complaint)).toEqual(['pointer', 'detail']);
}
