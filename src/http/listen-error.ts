/** The address cannot be listened on: taken, not this machine's, or not allowed. */
export class ListenError extends Error {}
