/** What a style sheet must bear that is written by a script: the policy of the page lets no other in. */
export const STYLE_NONCE = document.querySelector<HTMLScriptElement>('script[nonce]')?.nonce ?? '';
