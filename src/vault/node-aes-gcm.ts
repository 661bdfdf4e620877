import type { CipherGCMTypes } from 'node:crypto';
import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { AesGcmProvider } from './aes-gcm.ts';
import { TAG_BYTES } from './aes-gcm.ts';

/** AES-GCM by OpenSSL. */
export const nodeAesGcm: AesGcmProvider = {
  seal({ key, nonce, aad, plaintext }) {
    const cipher = createCipheriv(algorithmFor(key), key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(aad);
    const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    return { ciphertext, tag: cipher.getAuthTag() };
  },

  open({ key, nonce, aad, ciphertext, tag }) {
    const decipher = createDecipheriv(algorithmFor(key), key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(aad);
    decipher.setAuthTag(tag);
    const plaintext = decipher.update(ciphertext);
    try {
      return Buffer.concat([plaintext, decipher.final()]);
    } catch {
      // The last step of GCM can fail only because of the tag.
      plaintext.fill(0);
      return null;
    }
  },
};

function algorithmFor(key: Buffer): CipherGCMTypes {
  return `aes-${key.length * 8}-gcm` as CipherGCMTypes;
}
