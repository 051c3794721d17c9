import { Refusal } from '../../refusal.js';

/** The `scimType` of an error, RFC 7644, 3.12, as far as they occur here. */
export const SCIM_TYPES = [
  'invalidFilter',
  'invalidPath',
  'invalidSyntax',
  'invalidValue',
  'mutability',
  'noTarget',
  'tooMany',
] as const;
export type ScimType = (typeof SCIM_TYPES)[number];

/** A refusal of the input: the `scimType` is the rule of its one field. */
export function refuseInput(type: ScimType, message: string, path: string[] = []): Refusal {
  return Refusal.ofField(path, type, message);
}
