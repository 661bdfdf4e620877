/**
 * The three files of node-forge that may be imported. Its package entry would also load pki, asn1, rsa and prng,
 * which this project never uses (the weakness of `forge.random`: seeds decoded as UTF-8).
 */
declare module 'node-forge/lib/cipher.js' {
  import { cipher } from 'node-forge';

  export default cipher;
}

declare module 'node-forge/lib/aes.js' {
  import { aes } from 'node-forge';

  export default aes;
}

declare module 'node-forge/lib/util.js' {
  import { util } from 'node-forge';

  export default util;
}
