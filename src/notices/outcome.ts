/** What came of sending a message. */
export interface Outcome {
  /** Why it was not taken, for administrators: nothing that the receiver wrote. Undefined: it was. */
  error?: string;
  /** Of a webhook. */
  responseStatus?: number;
  /** What the receiver asks to be waited (ms). */
  retryAfterMs?: number | undefined;
  /** Whether it will never be taken. */
  isFinal?: boolean;
  /** Why nothing more is to be sent to this receiver. */
  disables?: string;
}
