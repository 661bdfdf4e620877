import 'node-forge/lib/aes.js';
import forgeCipher from 'node-forge/lib/cipher.js';
import forgeUtil from 'node-forge/lib/util.js';
import type { AesGcmProvider } from './aes-gcm.ts';
import { TAG_BYTES } from './aes-gcm.ts';

/**
 * AES-GCM by node-forge. The library works on binary strings; this file converts both ways, as latin1. `finish()`
 * returns false for a wrong tag but leaves the plaintext in `output`, so that object never leaves this file.
 */
export const forgeAesGcm: AesGcmProvider = {
  seal({ key, nonce, aad, plaintext }) {
    const cipher = forgeCipher.createCipher('AES-GCM', bytes(key));
    cipher.start({ iv: bytes(nonce), additionalData: bytes(aad), tagLength: TAG_BYTES * 8 });
    cipher.update(forgeUtil.createBuffer(bytes(plaintext)));
    if (!cipher.finish()) throw new Error('node-forge did not finish sealing');
    return { ciphertext: buffer(cipher.output), tag: buffer(cipher.mode.tag) };
  },

  open({ key, nonce, aad, ciphertext, tag }) {
    const decipher = forgeCipher.createDecipher('AES-GCM', bytes(key));
    decipher.start({
      iv: bytes(nonce),
      additionalData: bytes(aad),
      tagLength: TAG_BYTES * 8,
      tag: forgeUtil.createBuffer(bytes(tag)),
    });
    decipher.update(forgeUtil.createBuffer(bytes(ciphertext)));
    const authentic = decipher.finish();
    return authentic ? buffer(decipher.output) : null;
  },
};

function bytes(data: Buffer): string {
  return data.toString('latin1');
}

function buffer(data: { getBytes(): string }): Buffer {
  return Buffer.from(data.getBytes(), 'latin1');
}
