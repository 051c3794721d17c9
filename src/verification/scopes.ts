/** The scopes of a list separated by spaces (RFC 6749, section 3.3). */
export function scopesOf(list: string | undefined): string[] {
  return list ? list.split(' ').filter((scope) => scope !== '') : [];
}
