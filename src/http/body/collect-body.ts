import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { MaybePromise } from '../../maybe-promise.js';
import { Refusal } from '../../refusal.js';

/** Half a MiB holds every body that an API here defines, a batch of 1,000 verifications included. */
export const MAX_BODY_BYTES = 512 * 1024;

/** By connection the request whose body has not come whole yet. */
const awaited = new WeakMap<Socket, IncomingMessage>();

/**
 * The request of a connection whose body has not come whole: should it never, the owner of its path words
 * that.
 */
export function requestAwaitedOn(socket: Socket): IncomingMessage | undefined {
  return awaited.get(socket);
}

/**
 * The bytes of a body, at once where all of them have arrived. It fails only with its connection: a body that
 * is too large is refused in its turn.
 */
export function collectBody(request: IncomingMessage): MaybePromise<Buffer | Refusal> {
  if (request.complete) {
    const whole = (request.read() as Buffer | null) ?? Buffer.alloc(0);
    return whole.length > MAX_BODY_BYTES ? tooLarge() : whole;
  }
  const { socket } = request;
  awaited.set(socket, request);
  return new Promise<Buffer | Refusal>((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      // The rest is read and dropped: a client that is still sending would not see the answer.
      if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
    });
    request.on('error', reject);
    request.on('end', () => resolve(bytes > MAX_BODY_BYTES ? tooLarge() : Buffer.concat(chunks)));
  }).finally(() => {
    if (awaited.get(socket) === request) awaited.delete(socket);
  });
}

function tooLarge(): Refusal {
  const message = `The body is larger than ${MAX_BODY_BYTES} bytes`;
  return new Refusal('invalid', { reason: 'tooLarge', message });
}
