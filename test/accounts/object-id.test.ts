import { describe, expect, test } from '@jest/globals';
import { decodeObjectId, encodeObjectId } from '../../src/accounts/object-id.js';

const UUID = '3f0e2a36-5d9e-4b0e-9a55-8a1d1c0c6f3b';

describe('a 24-digit object id', () => {
  test('is 8 digits of the second of creation and the first 16 of the uuid', () => {
    expect(encodeObjectId(new Date('2026-11-21T23:30:00.999Z'), UUID)).toBe('6b022978' + '3f0e2a365d9e4b0e');
    expect(encodeObjectId(new Date(5_000), UUID)).toBe('00000005' + '3f0e2a365d9e4b0e');
  });

  test('says in either case which second and which uuids it can mean', () => {
    const range = {
      createdAtSeconds: 0x6b022978,
      uuidFrom: '3f0e2a36-5d9e-4b0e-0000-000000000000',
      uuidTo: '3f0e2a36-5d9e-4b0e-ffff-ffffffffffff',
    };
    expect(decodeObjectId('6b0229783f0e2a365d9e4b0e')).toEqual(range);
    expect(decodeObjectId('6B0229783F0E2A365D9E4B0E')).toEqual(range);
  });

  test('is nothing else than 24 hexadecimal digits', () => {
    for (const text of ['', '6b0229783f0e2a365d9e4b0', '6b0229783f0e2a365d9e4b0e0', 'x'.repeat(24), UUID])
      expect(decodeObjectId(text)).toBeUndefined();
  });
});
