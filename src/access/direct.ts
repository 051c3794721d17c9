import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Soon } from './soon.js';

/** What a direct handler says to a request. */
export interface DirectAnswer {
  status: number;
  /** Names and values in turn, as Node writes them. */
  headers: string[];
  /** Undefined: no body. */
  text?: string;
}

/** Decides what is said to a request, and leaves the saying to who asked. It words its own failures. */
export type DirectHandler = (request: IncomingMessage) => Soon<DirectAnswer>;

/**
 * Puts a plain handler before the framework, for what is asked too often to go through one.
 *
 * @param isMine says of a method and URL whether the handler answers it; it then answers every such request.
 */
export function serveDirectly(
  server: Server,
  isMine: (method: string, url: string) => boolean,
  handler: DirectHandler,
): void {
  const listeners = server.listeners('request') as RequestListener[];
  const together = takeTogether(handler);
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    if (isMine(request.method ?? '', request.url ?? '')) together(request, response);
    else for (const listener of listeners) listener(request, response);
  });
}

/**
 * Takes all requests of one turn of the event loop together at its end, and then sends all answers that are at hand. So
 * a processor reads, decides and writes with the code of each still in its cache, and a client on this machine is woken
 * once a turn: to wake it for each answer costs as much as a verdict.
 */
function takeTogether(handler: DirectHandler): RequestListener {
  let requests: Parameters<RequestListener>[] = [];
  let answers: [ServerResponse, DirectAnswer][] = [];

  function handleAll(): void {
    const arrived = requests;
    requests = [];
    for (const [request, response] of arrived) {
      const answer = handler(request);
      if (answer instanceof Promise) void answer.then((late) => send(response, late));
      else send(response, answer);
    }
  }

  function send(response: ServerResponse, answer: DirectAnswer): void {
    if (answers.push([response, answer]) === 1) process.nextTick(sendAll);
  }

  function sendAll(): void {
    const due = answers;
    answers = [];
    for (const [response, { status, headers, text }] of due) response.writeHead(status, headers).end(text);
  }

  return (request, response) => {
    if (requests.push([request, response]) === 1) setImmediate(handleAll);
  };
}
