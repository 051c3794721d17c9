const LOGIN = /^[A-Za-z0-9._@+-]{1,100}$/;

/** Whether a text has the form of a login. */
export function isLogin(text: string): boolean {
  return LOGIN.test(text);
}
