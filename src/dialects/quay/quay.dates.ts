/**
 * RFC 2822 in UTC with the `-0000` of Python's `email.utils.formatdate`: `Sat, 21 Nov 2026 20:53:54 -0000`.
 * Quay calls it in `format_date`: https://github.com/quay/quay/blob/master/endpoints/api/__init__.py
 */
export function formatRfc2822(time: Date): string {
  return time.toUTCString().replace('GMT', '-0000');
}
