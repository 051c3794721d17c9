import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Writes the smallest OCI image there is, one empty layer, as an image layout; gives the digest of its manifest. */
export function writeOciImage(folder: string, comment: string): string {
  const blobs = join(folder, 'blobs/sha256');
  mkdirSync(blobs, { recursive: true });
  const keep = (content: Buffer): { digest: string; size: number } => {
    const sum = sha256(content);
    writeFileSync(join(blobs, sum), content);
    return { digest: `sha256:${sum}`, size: content.length };
  };
  // A tar file ends with two blocks of zeros; this one has nothing before them.
  const tar = Buffer.alloc(1024);
  const config = {
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(tar)}`] },
    history: [{ comment }],
  };
  const manifest = keep(
    json({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...keep(json(config)) },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', ...keep(gzipSync(tar)) }],
    }),
  );
  const entry = { mediaType: 'application/vnd.oci.image.manifest.v1+json', ...manifest };
  writeFileSync(join(folder, 'index.json'), json({ schemaVersion: 2, manifests: [entry] }));
  writeFileSync(join(folder, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
  return manifest.digest;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
