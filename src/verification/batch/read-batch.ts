import { Refusal } from '../../refusal.js';
import type { Verification } from './batch.dto.js';

const MAX_VERIFICATIONS = 1000;
const KEYS = new Set(['token', 'clientIp', 'scope']);

/**
 * The requests of a batch. Checked by hand: a validation library that looks at every key of every one would cost more
 * than all the decisions.
 *
 * @throws {Refusal} invalid, with the place of what is wrong.
 */
export function readBatch(body: unknown): Verification[] {
  const verifications = isObject(body) ? body['verifications'] : undefined;
  if (!Array.isArray(verifications) || verifications.length < 1 || verifications.length > MAX_VERIFICATIONS) {
    const message = `verifications must be a list of 1 to ${MAX_VERIFICATIONS}`;
    throw Refusal.ofField(['verifications'], 'isArray', message);
  }
  if (Object.keys(body as object).length > 1) {
    throw Refusal.ofField([], 'whitelistValidation', 'The body has keys other than verifications');
  }
  verifications.forEach((verification: unknown, index) => assertVerification(verification, index));
  return verifications as Verification[];
}

function assertVerification(verification: unknown, index: number): void {
  const path = ['verifications', String(index)];
  if (!isObject(verification)) throw Refusal.ofField(path, 'isObject', `${path.join('.')} must be an object`);
  for (const key of Object.keys(verification)) {
    if (!KEYS.has(key)) {
      throw Refusal.ofField([...path, key], 'whitelistValidation', `${path.join('.')} has an unknown key`);
    }
    if (typeof verification[key] !== 'string') {
      throw Refusal.ofField([...path, key], 'isString', `${path.join('.')}.${key} must be a string`);
    }
  }
  if (verification['token'] === undefined) {
    throw Refusal.ofField([...path, 'token'], 'isString', `${path.join('.')}.token must be a string`);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
