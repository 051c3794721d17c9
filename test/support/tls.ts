import { KeyObject, webcrypto } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { createServer, type Server } from 'node:https';
import { once } from 'node:events';
import 'reflect-metadata';
import { SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';

/** A certificate for 127.0.0.1 that vouches for itself, and its key, in PEM. */
export async function makeCertificate(): Promise<{ certificate: string; key: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const made = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=127.0.0.1',
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    keys,
    signingAlgorithm: algorithm,
    extensions: [new SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }])],
  });
  const key = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' });
  return { certificate: made.toString('pem'), key: key.toString() };
}

/** TLS before a server that has none, on a port of 127.0.0.1, with a certificate made for it. */
export class TlsFront {
  private constructor(
    /** PEM. */
    readonly certificate: string,
    private readonly server: Server,
  ) {}

  /** @param port of the server behind, on 127.0.0.1. */
  static async start(port: number): Promise<TlsFront> {
    const { certificate, key } = await makeCertificate();
    const server = createServer({ key, cert: certificate }, (request, response) => {
      const { method, url: path, headers } = request;
      const behind = httpRequest({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      behind.on('error', () => response.destroy());
      request.pipe(behind);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TlsFront(certificate, server);
  }

  get port(): number {
    return (this.server.address() as { port: number }).port;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
