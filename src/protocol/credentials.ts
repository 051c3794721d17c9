/** A name and secret as HTTP Basic carries them. */
export interface BasicCredentials {
  login: string;
  secret: string;
}

/** A login by password that need not be repeated; it holds nothing secret. */
export interface LoginSession {
  login: string;
  /** The user's id and count of password changes: another password ends it, and nobody takes it over with a login. */
  mark: string;
}

/** All that a request presents, before anything of it is checked. */
export interface PresentedCredentials {
  /** Token values, each once. More than one is refused. */
  tokens: string[];
  basic?: BasicCredentials;
  /** A login by password that the owner of the path vouches for; read only where nothing else is presented. */
  session?: LoginSession;
  /** A credential header is there and cannot be read. */
  isMalformed?: boolean;
}
