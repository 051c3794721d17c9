/** Finds the ends of the answers that come over one connection, one at a time, and reads their status alone. */
export class AnswerReader {
  #head = '';
  #status = 0;
  #missing = 0;

  /** Takes what has come. Gives the status of an answer that is now whole, else undefined. */
  read(bytes) {
    if (this.#missing > 0) {
      this.#missing -= bytes.length;
      return this.#missing > 0 ? undefined : this.#status;
    }
    const text = this.#head + bytes.latin1Slice(0, bytes.length);
    const end = text.indexOf('\r\n\r\n');
    this.#head = end < 0 ? text : '';
    if (end < 0) return undefined;
    this.#status = Number(text.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length));
    if (this.#status === 204) return this.#status;
    const [, length] = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end)) ?? [];
    if (length === undefined) throw new Error(`An answer has no length:\n${text.slice(0, end)}`);
    this.#missing = Number(length) - (text.length - end - 4);
    return this.#missing > 0 ? undefined : this.#status;
  }
}

/** Counts answers by their status, the good ones left out. */
export class Failures {
  byStatus = {};
  count = 0;

  /** @param status of an answer, or a word for what came in its place. */
  record(status) {
    if (status >= 200 && status < 300) return;
    this.byStatus[status] = (this.byStatus[status] ?? 0) + 1;
    this.count += 1;
  }
}
