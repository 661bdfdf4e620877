import type { CodeExample } from '../code-examples.ts';

const COMMIT = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

export function gitlabCiExamples(): CodeExample[] {
  return [
    ...images(),
    ...includes(),
    ...scannerJobs(),
    ...secretVariables(),
    ...transportSecurity(),
    ...scripts(),
  ].map((example) => ({
    extensions: ['gitlab-ci.yml'],
    ...example,
  }));
}

type Example = Omit<CodeExample, 'extensions'>;

function images(): Example[] {
  return [
    {
      rule: 'ci-image-not-pinned',
      hits: [
        [
          ['image: node:latest'],
          'build:',
          ['  image: registry.acme.test:5000/tools/build'],
          '  script: [make]',
        ],
        ['test:', '  image:', ['    name: "python"'], '    entrypoint: [""]', '  script: [make]'],
        [
          'test:',
          '  services:',
          ['    - postgres'],
          ['    - name: redis:latest'],
          '      alias: cache',
          '  script: [make]',
        ],
        [
          'build:',
          ['  services: [docker:latest]'],
          ['  image: $CI_REGISTRY_IMAGE:latest'],
          '  script: [make]',
        ],
      ],
      clean: [
        ['image: node:24.1', 'build:', '  image: $CI_REGISTRY_IMAGE/build:$VERSION', '  script: [make]'],
        [
          'image: $IMAGE',
          'test:',
          `  image: node@sha256:${'0'.repeat(64)}`,
          '  services: [postgres:18, docker:27-dind]',
        ],
        ['deploy:', '  environment:', '    name: production', '  script: [make image]'],
        [
          'test:',
          '  image: { name: "python:3.13", entrypoint: [""] }',
          '  services:',
          '    - name: redis:8',
          '      alias: cache',
        ],
      ],
    },
  ];
}

function includes(): Example[] {
  return [
    {
      rule: 'ci-remote-include-not-pinned',
      hits: [
        ['include:', ['  - remote: https://ci.acme.test/build.yml'], '  - local: /ci/test.yml'],
        [['include: https://ci.acme.test/build.yml']],
        ['include:', [`  - 'https://ci.acme.test/build.yml'`]],
      ],
      clean: [
        ['include:', `  - remote: https://ci.acme.test/${COMMIT}/build.yml`],
        ['include:', '  - remote: https://ci.acme.test/build.yml', '    integrity: sha256-abc='],
        ['include:', '  - local: /ci/test.yml', 'variables:', '  remote: https://acme.test/a'],
      ],
    },
    {
      rule: 'ci-project-include-not-pinned',
      hits: [
        [
          'include:',
          ['  - project: acme/ci'],
          '    file: build.yml',
          ['  - project: acme/more'],
          '    ref: main',
          '    file: a.yml',
        ],
      ],
      clean: [
        ['include:', '  - project: acme/ci', '    ref: v1.4.0', '    file: build.yml'],
        ['deploy:', '  trigger:', '    project: acme/deploy'],
      ],
    },
  ];
}

function scannerJobs(): Example[] {
  return [
    {
      rule: 'ci-scanner-failure-allowed',
      hits: [
        ['secret_detection:', ['  allow_failure: true']],
        [
          'gitleaks-scan:',
          '  script: [gitleaks git]',
          '  rules:',
          '    - if: $CI_COMMIT_BRANCH',
          ['      allow_failure: true'],
        ],
      ],
      clean: [
        ['secret_detection:', '  allow_failure: false'],
        ['lint:', '  allow_failure: true'],
        ['spell-check:', '  allow_failure: true'],
      ],
    },
  ];
}

function secretVariables(): Example[] {
  return [
    {
      rule: 'ci-secret-in-variable',
      hits: [
        ['variables:', ['  DEPLOY_PASSWORD: keyboard cat'], ['  API_TOKEN: "keyboard-cat"']],
        ['deploy:', '  variables:', ['    SMTP_PASSWORD: "keyboard cat"'], '  script: [make]'],
      ],
      clean: [
        ['variables:', '  DEPLOY_PASSWORD: $VAULT_PASSWORD', '  TOKEN_TTL: "3600"', '  API_TOKEN: ""'],
        ['variables:', '  POSTGRES_PASSWORD: postgres', '  SECRET_DETECTION_LEVEL: everything'],
        [
          'variables:',
          '  MODE: keyboard cat',
          'deploy:',
          '  secrets:',
          '    DATABASE_PASSWORD:',
          '      vault: production/db/password',
        ],
      ],
    },
    {
      rule: 'ci-debug-trace',
      hits: [['variables:', ['  CI_DEBUG_TRACE: "true"']]],
      clean: [
        ['variables:', '  CI_DEBUG_TRACE: "false"'],
        ['a:', '  script: [echo CI_DEBUG_TRACE]'],
      ],
    },
  ];
}

function transportSecurity(): Example[] {
  return [
    {
      rule: 'ci-docker-without-tls',
      hits: [
        ['a:', ['  variables: { DOCKER_TLS_CERTDIR: "" }']],
        ['variables:', ['  DOCKER_HOST: tcp://docker:2375']],
      ],
      clean: [['variables:', '  DOCKER_TLS_CERTDIR: "/certs"', '  DOCKER_HOST: tcp://docker:2376']],
    },
    {
      rule: 'ci-tls-verification-off',
      hits: [
        ['variables:', ['  GIT_SSL_NO_VERIFY: "true"'], ['  NODE_TLS_REJECT_UNAUTHORIZED: 0']],
        [
          'a:',
          '  script:',
          ['    - curl -sk https://acme.test/a -o a'],
          ['    - wget --no-check-certificate https://acme.test/a'],
          '    - |',
          '      make',
          ['      git -c http.sslVerify=false fetch'],
          ['      curl https://acme.test/b --insecure'],
        ],
      ],
      clean: [
        ['variables:', '  GIT_SSL_NO_VERIFY: "false"'],
        [
          'a:',
          '  script:',
          '    - curl -sS https://acme.test/a | tar -k x',
          '    - make insecure',
          '    - curl -o kk https://a.test',
        ],
      ],
    },
  ];
}

function scripts(): Example[] {
  return [
    {
      rule: 'ci-download-run',
      hits: [
        [
          'a:',
          '  before_script:',
          ['    - curl -sSL https://install.example.com/setup.sh | sh'],
          '  script:',
          ['    - "wget -qO- https://acme.test/i | sudo bash -s"'],
          '    - |',
          '      set -eu',
          ['      bash <(curl -s https://acme.test/codecov)'],
          ['      sh -c "$(curl -fsSL https://acme.test/install.sh)"'],
        ],
      ],
      clean: [
        [
          'a:',
          '  script:',
          '    - curl -sSL https://acme.test/a.tar.gz | tar xz',
          '    - curl -o setup.sh https://acme.test/setup.sh && sha256sum -c sums',
          '    - cat list | sh',
          '  variables:',
          '    NOTE: curl https://acme.test/a | sh',
        ],
      ],
    },
    {
      rule: 'ci-command-injection',
      hits: [
        [
          'a:',
          '  script:',
          ['    - eval "echo $CI_COMMIT_MESSAGE"'],
          [`    - bash -c "deploy \${CI_MERGE_REQUEST_TITLE}"`],
        ],
      ],
      clean: [
        [
          'a:',
          '  script:',
          '    - echo "$CI_COMMIT_MESSAGE"',
          '    - eval "$(ssh-agent -s)"',
          '    - sh -c "echo $CI_PIPELINE_ID"',
        ],
      ],
    },
    {
      rule: 'ci-privileged-container',
      hits: [['a:', '  script:', ['    - docker run --rm --privileged acme/build:1 make']]],
      clean: [['a:', '  script:', '    - docker run --rm acme/build:1 make', '    - echo --privileged']],
    },
  ];
}
