import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { MaybePromise } from '../maybe-promise.js';

/** What a fast path answers to a request. */
export interface FastPathAnswer {
  status: number;
  /** Names and values in turn, as Node writes them. */
  headers: string[];
  /** Undefined: no body. */
  text?: string;
}

/** Makes the answer to a request, which its caller sends. Renders its own failures. */
export type FastPathHandler = (request: IncomingMessage) => MaybePromise<FastPathAnswer>;

/** Does something before and after the handler of a route. */
export type FastPathWrapper = (route: string, handler: FastPathHandler) => FastPathHandler;

interface FastPath {
  matches: (method: string, url: string) => boolean;
  listener: RequestListener;
}

/**
 * Plain handlers in front of the framework, for endpoints that are called too often to pay for it. Every
 * server that listens has the same list.
 */
export class FastPaths {
  private readonly paths: FastPath[] = [];

  /** @param around makes of each handler what is called in its place. */
  constructor(private readonly around: FastPathWrapper = (_route, handler) => handler) {}

  /**
   * @param route as people know it.
   * @param matches says of a method and URL whether the handler answers it; it then answers every such
   *   request.
   */
  add(route: string, matches: FastPath['matches'], handler: FastPathHandler): void {
    this.paths.push({ matches, listener: batched(this.around(route, handler)) });
  }

  /** What a server listens with: the fast path of a request, and the framework for all others. */
  before(framework: RequestListener): RequestListener {
    const { paths } = this;
    return function listen(request, response) {
      const { method = '', url = '' } = request;
      for (const path of paths) {
        if (path.matches(method, url)) {
          path.listener(request, response);
          return;
        }
      }
      framework(request, response);
    };
  }
}

/**
 * Handles all requests of one turn of the event loop together at its end, and then sends all answers that are
 * ready. Each stage (read, decide, write) so runs with its code in the processor's cache, and a client on the
 * same machine is woken once per turn: to wake it for each answer would cost as much as a decision.
 */
function batched(handler: FastPathHandler): RequestListener {
  let requests: Parameters<RequestListener>[] = [];
  let answers: [ServerResponse, FastPathAnswer][] = [];

  function handleAll(): void {
    const arrived = requests;
    requests = [];
    for (const [request, response] of arrived) {
      const answer = handler(request);
      if (answer instanceof Promise) void answer.then((late) => send(response, late));
      else send(response, answer);
    }
  }

  function send(response: ServerResponse, answer: FastPathAnswer): void {
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
