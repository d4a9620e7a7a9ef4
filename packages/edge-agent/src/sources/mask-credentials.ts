/**
 * Masks the credentials in the URLs of a text: `rtsp://user:***@camera`, `?password=***`. ffmpeg repeats the
 * URL in its error output, and errors are logged.
 */
export function maskCredentials(text: string): string {
  return (
    text
      // Up to the last @ before the path: passwords are written with @ in them, wrong as that is.
      .replaceAll(/([a-z][a-z0-9+.-]*:\/\/[^\s/:@]*):[^\s/]*@/gi, "$1:***@")
      // Some cameras take them in the path: rtsp://camera/user=admin&password=secret&channel=1
      .replaceAll(/\b(pass|passwd|password|pwd|token|secret)=[^&\s'"]+/gi, "$1=***")
  );
}
