/** A text for logs, errors and the audit trail in which every token has lost its secret. */
export function withoutSecrets(text: string): string {
  return text.replace(/(pt-[0-9A-Za-z]{12}_)[0-9A-Za-z]+/g, '$1…');
}
