import { describe, expect, test } from '@jest/globals';
import { isReachable } from '../../src/network/public-addresses.js';

describe('an address', () => {
  test.each([
    '8.8.8.8',
    '172.15.255.255',
    '172.32.0.1',
    '100.63.0.1',
    '2606:4700::1111',
    '2a00:1450:4001:81b::200e',
    '::ffff:8.8.8.8',
    '64:ff9b::8.8.8.8',
  ])('%s is of the Internet', (address) => {
    expect(isReachable(address, [])).toBe(true);
  });

  test.each([
    '0.0.0.0',
    '0.1.2.3',
    '10.0.0.1',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.8',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.1.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::10.0.0.1',
    '::ffff:10.0.0.1',
    '::ffff:0:10.0.0.1',
    '64:ff9b::10.0.0.1',
    '64:ff9b::127.0.0.1',
    '64:ff9b:1::8.8.8.8',
    '100::1',
    '2001:db8::1',
    '3fff::1',
    '2002:a00:1::',
    '2001::1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fec0::1',
    'ff02::1',
    '5f00::1',
    '4000::1',
    'fe80::1%eth0',
    'localhost',
    '',
  ])('%s is not', (address) => {
    expect(isReachable(address, [])).toBe(false);
  });

  test('of a network that is allowed is reached, and none beside it', () => {
    const networks = ['10.1.0.0/16', 'fd00::/8'];
    for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '64:ff9b::10.1.2.3', 'fd00::1', '8.8.8.8']) {
      expect([address, isReachable(address, networks)]).toEqual([address, true]);
    }
    for (const address of ['10.2.0.1', '127.0.0.1', '::ffff:10.2.0.1', 'fc00::1']) {
      expect([address, isReachable(address, networks)]).toEqual([address, false]);
    }
  });
});
