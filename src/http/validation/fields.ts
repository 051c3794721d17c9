import { Transform } from 'class-transformer';
import { ValidateBy, ValidateIf, type ValidationOptions } from 'class-validator';
import { isLogin } from '../../accounts/login.js';
import { parseCallerAddress } from '../../network/addresses.js';
import { looksLikeToken } from '../../tokens/token-format.js';
import { parseRfc3339 } from './date-time.js';
import { isGoodText } from './text.js';

/** No control, format (such as the override of the writing direction), private or unassigned characters. */
const PRINTABLE = /^[^\p{C}\p{Zl}\p{Zp}]+$/u;

/** bcrypt reads no more than 72 bytes: a longer password is refused, never cut. */
const PASSWORD_BYTES = { least: 8, most: 72 };

/** A key that may be left out; null is no value for it. */
export function Optional(): PropertyDecorator {
  return ValidateIf((_, value) => value !== undefined);
}

/** Trims a text before it is checked. */
export function Trimmed(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim() : value));
}

/** Whether a text is one line of 1 to `most` characters that people can see. */
export function isPrintable(text: string, most: number): boolean {
  return PRINTABLE.test(text) && Array.from(text).length <= most;
}

/** One line of 1 to `most` characters that people can see. */
export function IsPrintable(most: number, options?: ValidationOptions): PropertyDecorator {
  const rule = (value: unknown): boolean => typeof value === 'string' && isPrintable(value, most);
  return must('isPrintable', `1 to ${most} printable characters`, rule, options);
}

/** A text of 1 to `most` characters that can be kept: lines are fine, NUL and half characters are not. */
export function IsText(most: number): PropertyDecorator {
  const rule = (value: unknown): boolean =>
    typeof value === 'string' && value !== '' && isGoodText(value) && Array.from(value).length <= most;
  return must('isText', `a text of 1 to ${most} characters`, rule);
}

/** 8 to 72 bytes with which one can log in: no control characters, nothing that is taken for a token. */
export function IsPassword(): PropertyDecorator {
  const rule = (value: unknown): boolean => {
    if (typeof value !== 'string' || /\p{Cc}/u.test(value) || looksLikeToken(value)) return false;
    const bytes = Buffer.byteLength(value);
    return bytes >= PASSWORD_BYTES.least && bytes <= PASSWORD_BYTES.most;
  };
  const { least, most } = PASSWORD_BYTES;
  return must('isPassword', `${least} to ${most} bytes without control characters, and no token`, rule);
}

/** A login: ASCII letters, digits and `._@+-`, and nothing that is taken for a token. */
export function IsLogin(): PropertyDecorator {
  const rule = (value: unknown): boolean =>
    typeof value === 'string' && isLogin(value) && !looksLikeToken(value);
  return must('isLogin', '1 to 100 ASCII letters, digits and ._@+-', rule);
}

/**
 * Reads a date and time of RFC 3339 into a Date; what is none stays as it is, for {@link IsInstant} to
 * refuse.
 */
export function Instant(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' ? (parseRfc3339(value) ?? value) : value,
  );
}

export function IsInstant(): PropertyDecorator {
  return must('isInstant', 'a date and time of RFC 3339, such as 2030-01-31T12:00:00Z', isDate);
}

/** An IP address, without prefix, port or zone. */
export function IsAddress(): PropertyDecorator {
  const rule = (value: unknown): boolean =>
    typeof value === 'string' && parseCallerAddress(value) !== undefined;
  return must('isAddress', 'an IPv4 or IPv6 address', rule);
}

/** The `true` and `false` of a query. */
export function Flag(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) =>
    value === 'true' ? true : value === 'false' ? false : value,
  );
}

/** The whole number of a query. */
export function WholeNumber(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value,
  );
}

function isDate(value: unknown): value is Date {
  return value instanceof Date;
}

function must(
  name: string,
  what: string,
  rule: (value: unknown) => boolean,
  options?: ValidationOptions,
): PropertyDecorator {
  const each = options?.each ? 'each value in ' : '';
  const defaultMessage = (): string => `${each}$property must be ${what}`;
  return ValidateBy({ name, validator: { validate: rule, defaultMessage } }, options);
}
