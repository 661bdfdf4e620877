import type { CodeExample, ExampleLine } from '../code-examples.ts';

export function goExamples(): CodeExample[] {
  return [...injections(), ...cryptography(), ...others()].map(({ hits, clean, ...example }) => ({
    ...example,
    extensions: ['go'],
    hits: hits.map(inFunction),
    clean: clean.map(inFunction),
  }));
}

interface Example {
  rule: string;
  hits: ExampleLine[][];
  clean: string[][];
}

/** Lines of a function, or a file that begins with its package. */
function inFunction<Line extends ExampleLine>(lines: readonly Line[]): (Line | string)[] {
  return lines[0] === 'package main' ? [...lines] : ['package main', 'func f() {', ...lines, '}'];
}

function injections(): Example[] {
  return [
    {
      rule: 'go-command-injection',
      hits: [
        [
          ['exec.Command("sh", "-c", "ls "+folder)'],
          ['exec.CommandContext(ctx, "/bin/bash", "-c", fmt.Sprintf("ls %s", folder))'],
        ],
      ],
      clean: [
        [
          'exec.Command("ls", folder)',
          'exec.Command("sh", "-c", "ls -l")',
          'exec.Command("git", "-c", setting)',
        ],
      ],
    },
    {
      rule: 'go-sql-concatenation',
      hits: [
        [
          ['db.Query("SELECT * FROM t WHERE id = " + id)'],
          [`q := fmt.Sprintf("DELETE FROM t WHERE name = '%s'", name)`],
          ['q := `UPDATE t SET a = ` + r.FormValue("a")'],
        ],
      ],
      clean: [
        [
          'db.Query("SELECT * FROM t WHERE id = $1", id)',
          'fmt.Sprintf("Select %s from the list", name)',
          'q := "SELECT a FROM b " + "WHERE c = 1"',
          'fmt.Sprintf("SELECT a FROM b LIMIT %d", limit)',
        ],
      ],
    },
    {
      rule: 'go-path-traversal',
      hits: [
        [['os.Open("/data/" + r.FormValue("name"))'], ['http.ServeFile(w, r, r.URL.Query().Get("file"))']],
      ],
      clean: [
        [
          'os.Open(name)',
          'os.ReadFile(filepath.Base(r.FormValue("name")))',
          'http.ServeFile(w, r, "index.html")',
        ],
      ],
    },
    {
      rule: 'go-html-injection',
      hits: [[['a := template.HTML(text)'], ['b := template.JS("f(" + text + ")")']]],
      clean: [['a := template.HTML("<b>a</b>")', 'b := template.HTMLEscapeString(text)']],
    },
  ];
}

function cryptography(): Example[] {
  return [
    {
      rule: 'go-tls-verification-off',
      hits: [[['c := &tls.Config{InsecureSkipVerify: true}'], ['c.InsecureSkipVerify = true']]],
      clean: [
        [
          'c := &tls.Config{InsecureSkipVerify: false}',
          'c := &tls.Config{InsecureSkipVerify: options.Insecure}',
        ],
      ],
    },
    {
      rule: 'go-tls-old-version',
      hits: [[['c := &tls.Config{MinVersion: tls.VersionTLS10}']]],
      clean: [['c := &tls.Config{MinVersion: tls.VersionTLS13}']],
    },
    {
      rule: 'go-ssh-host-not-verified',
      hits: [['c := &ssh.ClientConfig{', ['HostKeyCallback: ssh.InsecureIgnoreHostKey(),'], '}']],
      clean: [['c := &ssh.ClientConfig{HostKeyCallback: ssh.FixedHostKey(key)}']],
    },
    {
      rule: 'go-weak-hash',
      hits: [[['h := md5.New()'], ['s := sha1.Sum(data)']]],
      clean: [['h := sha256.New()', 's := sha256.Sum256(data)', 'h := md5.Size']],
    },
    {
      rule: 'go-weak-cipher',
      hits: [
        [
          ['b, err := des.NewCipher(key)'],
          ['c, err := rc4.NewCipher(key)'],
          ['b, err := des.NewTripleDESCipher(key)'],
        ],
      ],
      clean: [['b, err := aes.NewCipher(key)']],
    },
    {
      rule: 'go-jwt-hardcoded-secret',
      hits: [[['s, err := token.SignedString([]byte("keyboard cat"))']]],
      clean: [
        ['s, err := token.SignedString(key)', 's, err := token.SignedString([]byte(os.Getenv("KEY")))'],
      ],
    },
  ];
}

function others(): Example[] {
  return [
    {
      rule: 'go-world-writable',
      hits: [[['os.Chmod(path, 0777)'], ['os.WriteFile(path, data, 0o666)'], ['os.MkdirAll(path, 0777)']]],
      clean: [
        ['os.Chmod(path, 0755)', 'os.WriteFile(path, data, 0o600)', 'os.MkdirAll(path, 0700)', 'f(0777)'],
      ],
    },
    {
      rule: 'go-profiler-exposed',
      hits: [
        ['package main', ['import _ "net/http/pprof"']],
        ['package main', 'import (', '\t"net/http"', ['\t_ "net/http/pprof"'], ')'],
      ],
      clean: [['package main', 'import "net/http/pprof"', 'var _ = pprof.Index']],
    },
  ];
}
