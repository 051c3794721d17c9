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

/** What a browser sends by itself, whichever page makes it send a request. */
export interface PresentedCookie {
  /** The value of a session that the server keeps. */
  value: string;
  /** Whether a page of another site may have made the browser send it, in a request that may change something. */
  isForgeable: boolean;
}

/** All that a request presents, before anything of it is checked. */
export interface PresentedCredentials {
  /** Token values, each once. More than one is refused. */
  tokens: string[];
  basic?: BasicCredentials;
  /** A login by password that the owner of the path vouches for; read only where nothing else is presented. */
  session?: LoginSession;
  /** A session of a browser, on paths that take one; read only where nothing else is presented. */
  cookie?: PresentedCookie;
  /** A credential header is there and cannot be read. */
  isMalformed?: boolean;
}
