# SPDX-License-Identifier: Apache-2.0
"""A package archive on the host, which guests reach through their network: two packages, one of which
depends on the other, the lists that apt reads, and files that a test adds."""

import functools
import gzip
import hashlib
import http.server
import os
import subprocess
import threading

GUEST_SEES_HOST_AT = '10.0.2.2'

CONTROL = '''\
Package: {name}
Version: 1.0
Architecture: all
Maintainer: Longhouse <nobody@localhost>
Priority: optional
Depends: {depends}
Description: a package of a test
'''

POSTINST = '#!/bin/sh\nset -e\n[ "$1" != configure ] || echo configured > /var/lib/longhouse-hello\n'
POSTRM = '#!/bin/sh\nset -e\nrm -f /var/lib/longhouse-hello\n'


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='ascii') as f:
        f.write(text)
    os.chmod(path, mode)


def make_package(directory, name, depends, files):
    tree = os.path.join(directory, 'tree-' + name)
    for path, (text, mode) in files.items():
        write(os.path.join(tree, path), text, mode)
    write(os.path.join(tree, 'DEBIAN', 'control'), CONTROL.format(name=name, depends=depends))
    deb = os.path.join(directory, name + '_1.0_all.deb')
    subprocess.run(['dpkg-deb', '--root-owner-group', '-b', tree, deb], check=True,
                   stdout=subprocess.DEVNULL)


def describe(directory, name):
    """What the list says of a package."""
    path = f'{name}_1.0_all.deb'
    control = subprocess.run(['dpkg-deb', '-f', os.path.join(directory, path)], check=True,
                             capture_output=True, text=True).stdout
    with open(os.path.join(directory, path), 'rb') as f:
        data = f.read()
    return f'{control}Filename: ./{path}\nSize: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n'


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *unused):
        pass


class Archive:
    """Serves `directory` while it is entered; `url` is where the guest finds it."""

    def __init__(self, directory):
        self.directory = directory
        os.mkdir(directory)
        make_package(directory, 'longhouse-words', 'libc6',
                     {'usr/share/longhouse/words': ('hello from a package\n', 0o644)})
        make_package(directory, 'longhouse-hello', 'longhouse-words (>= 1.0), dpkg',
                     {'usr/bin/longhouse-hello': ('#!/bin/sh\ncat /usr/share/longhouse/words\n', 0o755),
                      'DEBIAN/postinst': (POSTINST, 0o755), 'DEBIAN/postrm': (POSTRM, 0o755)})
        text = '\n'.join(describe(directory, n) for n in ('longhouse-words', 'longhouse-hello'))
        with gzip.open(os.path.join(directory, 'Packages.gz'), 'wt') as f:
            f.write(text)

    def add(self, name, text):
        write(os.path.join(self.directory, name), text)

    def __enter__(self):
        handler = functools.partial(Handler, directory=self.directory)
        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f'http://{GUEST_SEES_HOST_AT}:{self.server.server_port}/'
        return self

    def __exit__(self, *unused):
        self.server.shutdown()
        self.server.server_close()
