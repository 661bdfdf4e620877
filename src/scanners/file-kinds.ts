/**
 * Extensions of formats without text: images, fonts, audio, video, archives, programs, office files. Such a file is counted
 * as `binary` and not read. Every other file is read, whatever bytes it has, since a NUL byte does not make a file safe.
 * Formats that hold keys (`p12`, `jks`, `kdbx`, `der`) are not listed.
 */
export const BINARY_EXTENSIONS: readonly string[] = [
  'png jpg jpeg gif bmp ico webp tif tiff psd heic avif icns',
  'woff woff2 ttf otf eot',
  'mp3 wav ogg flac m4a aac mp4 m4v mov avi mkv webm wmv',
  'zip gz tgz bz2 xz zst 7z rar tar jar war ear whl apk aab ipa',
  'exe dll so dylib a o obj lib class pyc pdb wasm node',
  'pdf doc docx xls xlsx ppt pptx odt ods odp',
  'dmg iso img deb rpm msi glb blend fbx onnx parquet',
].flatMap((kind) => kind.split(' '));

const BINARY = new Set(BINARY_EXTENSIONS);

/** Decides by the last extension, ignoring case. */
export function isBinaryName(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  return dot > 0 && BINARY.has(name.slice(dot + 1).toLowerCase());
}

const MAX_POINTER_BYTES = 1024;
const POINTER =
  /^version https:\/\/git-lfs\.github\.com\/spec\/v1\n(?:ext-[0-9]-[a-z]+ sha256:[0-9a-f]{64}\n)*oid sha256:[0-9a-f]{64}\nsize [0-9]+\n$/;

/** Whether the whole file is a Git LFS pointer; a file with anything else in it is read. @see Git LFS, `docs/spec.md` */
export function isLfsPointer(content: Buffer): boolean {
  return content.length < MAX_POINTER_BYTES && POINTER.test(content.toString('latin1'));
}
