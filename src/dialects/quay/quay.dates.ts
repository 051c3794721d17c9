/** RFC 2822 in UTC with the `-0000` of Python's `email.utils.formatdate`: `Sat, 21 Nov 2026 20:53:54 -0000`. */
export function formatRfc2822(time: Date): string {
  return time.toUTCString().replace('GMT', '-0000');
}
