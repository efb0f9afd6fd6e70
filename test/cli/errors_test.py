#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What users do wrong: one line each that says what, where and what to do, status 1, and nothing of
theirs is changed."""

import os
import re
import subprocess
import sys

from harness import Skip, check, check_equal, main, read, write

HELLO = ('print', 'hello\\n', 'poweroff')


def expect_error(result, message):
    """`message` is all that is said; each ... in it stands for anything."""
    check_equal(result.status, 1)
    check_equal(result.out, '')
    check_equal(result.err.count('\n'), 1)
    pattern = '.*'.join(re.escape(part) for part in message.split('...'))
    check(re.fullmatch(pattern + '\n', result.err), result.err, message)


def refuse(s, args, message):
    expect_error(s.lh_run(*args), 'lh run: ' + message)


def refuse_with_kernel(s, *pairs):
    kernel = s.payload(*HELLO)
    for args, message in pairs:
        refuse(s, [kernel, *args.split()], message)


def test_verbs(s):
    expect_error(s.run('rum'), "lh: no verb 'rum'; did you mean run?")
    expect_error(s.run('frobnicate'), "lh: no verb 'frobnicate'; lh help lists them")
    expect_error(s.run('help', 'doktor'), "lh: no verb 'doktor'; did you mean doctor?")
    expect_error(s.run('version', '1'), "lh version: takes no arguments, '1' is one")
    expect_error(s.run('doctor', '1'), "lh doctor: takes no arguments, '1' is one")
    expect_error(s.run('guest', 'fetsch'), "lh guest: no verb 'fetsch'; did you mean fetch?")
    expect_error(s.run('guest', 'list'), "lh guest: no verb 'list'; lh guest --help lists them")


def test_options(s):
    refuse(s, ['-kernal', 'x'], "unknown option '-kernal'; did you mean '-kernel'?")
    refuse(s, ['--no-rebot'], "unknown option '--no-rebot'; did you mean '--no-reboot'?")
    refuse(s, ['-smq=4'], "unknown option '-smq'; did you mean '-smp'?")
    refuse(s, ['-virtualize'], "unknown option '-virtualize'; --help lists them")
    refuse(s, ['-kernel'], "option '-kernel' needs a value: -kernel FILE")
    refuse(s, ['-m', '1G', '-smp'], "option '-smp' needs a value: -smp N")
    refuse(s, ['-no-reboot=yes'], "option '-no-reboot' takes no value")


def test_options_of_cell(s):
    def refuse_cell(args, message):
        expect_error(s.run('cell', *args.split()), 'lh cell ' + message)
    refuse_cell('list --kepp', "list: unknown option '--kepp'; did you mean '--keep'?")
    refuse_cell('wait x --timeout soon', "wait: --timeout 'soon': not a number of seconds; write 60")
    refuse_cell('wait x --timeout 5s', "wait: --timeout '5s': not a number of seconds; write 60")
    refuse_cell('wait x --timeout -1', "wait: --timeout '-1': not a number of seconds; write 60")
    for command in 'info', 'list', 'stats', 'log', 'bundle', 'doctor':
        refuse_cell(command + ' x', command + ": takes no target, 'x' is one")
    expect_error(s.run('cell', 'help', 'rum'), "lh cell: no command 'rum'; did you mean run?")


def test_two_kernels(s):
    refuse(s, ['a', 'b'], "'b': the kernel is 'a' already; give one")
    refuse(s, ['a', '-kernel', 'b'], "'b': the kernel is 'a' already; give one")
    refuse(s, ['-kernel', 'a', 'b'], "'b': the kernel is 'a' already; give one")
    refuse(s, ['--', '-m', '-smp'], "'-smp': the kernel is '-m' already; give one")


def test_nothing_to_boot(s):
    refuse(s, [], 'nothing to boot: ...')
    refuse(s, ['-m', '512M'], 'nothing to boot: ...')


def test_initrd_and_append_want_a_kernel(s):
    refuse(s, ['-initrd', 'x'], 'an initrd (-initrd) is of use only with a kernel (-kernel)')
    refuse(s, ['-append', 'x'], 'a command line (-append) is of use only with a kernel (-kernel)')


def test_files_that_are_not_there(s):
    missing = s.path('missing')
    refuse(s, [missing], f"kernel '{missing}': cannot open: No such file or directory")
    refuse(s, ['-kernel', ''], "kernel '': cannot open: No such file or directory")
    refuse(s, [s.dir], f"kernel '{s.dir}': is a directory")
    refuse(s, [s.payload(*HELLO), '-initrd', missing],
           f"initrd '{missing}': cannot open: No such file or directory")


def test_files_that_are_something_else(s):
    refuse(s, [sys.executable], f"kernel '{sys.executable}': is an ELF program for ...")
    empty = write(s.path('empty'))
    refuse(s, [empty], f"kernel '{empty}': is empty")
    text = write(s.path('text'), b'a text\n')
    refuse(s, [text], f"kernel '{text}': ...")


def test_files_without_permission(s):
    secret = write(s.path('secret'), b'x')
    os.chmod(secret, 0)
    os.chmod(s.dir, 0o755)

    def be_nobody():
        if os.getuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
    try:
        subprocess.run([s.lh, 'version'], preexec_fn=be_nobody, check=True, capture_output=True)
    except (OSError, subprocess.SubprocessError) as e:
        raise Skip(f'an ordinary user cannot run the program: {e}') from e
    refuse_as = s.lh_run(secret, preexec_fn=be_nobody)
    expect_error(refuse_as, f"lh run: kernel '{secret}': cannot open: Permission denied")


def test_sizes(s):
    refuse_with_kernel(
        s,
        ('-m 5', '-m: memory of 5 MiB: the board virt needs at least 256 MiB'),
        ('-m 2000G', '-m: memory of 2048000 MiB: the board virt has room for 1 TiB'),
        ('-m 300001K', '-m: memory of 307201024 bytes: has to be a multiple of 1 MiB'),
        ('-m 0', "-m '0': not a size; write 1G or 512M"),
        ('-m lots', "-m 'lots': not a size; write 1G or 512M"),
        ('-m -1G', "-m '-1G': not a size; write 1G or 512M"),
        ('-m 1.5G', "-m '1.5G': not a size; write 1G or 512M"),
        ('-m 99999999999999G', "-m '99999999999999G': not a size; write 1G or 512M"),
        ('-smp 0', "-smp '0': not a number of processors; write 2"),
        ('-smp two', "-smp 'two': not a number of processors; write 2"),
        ('-smp 2,cores=2', "-smp '2,cores=2': not a number of processors; write 2"),
        ('-smp 65', '65 processors: the board virt has room for 64'))


def test_names(s):
    refuse_with_kernel(
        s,
        ('-M vrit', "-machine: no board 'vrit'; did you mean virt?"),
        ('-machine pc', "-machine: no board 'pc'; -machine help lists them"),
        ('-cpu mx', "-cpu: no model 'mx'; did you mean max?"),
        ('-cpu cortex-a72', "-cpu: no model 'cortex-a72'; -cpu help lists them"),
        ('-cpu max,lsz=on', "-cpu: no feature 'lsz'; did you mean lsx?"),
        ('-cpu max,warpdrive=on', "-cpu: no feature 'warpdrive'; -cpu help lists them"),
        ('-cpu max,lsx', "-cpu: 'lsx': write FEATURE=on or FEATURE=off"),
        ('-cpu max,lsx=1', '-cpu: lsx=1: write lsx=on or lsx=off'),
        ('-accel inter', "-accel: there is no 'inter'; did you mean interp?"),
        ('-accel kwm', "-accel: there is no 'kwm'; did you mean kvm?"),
        ('-accel xen', "-accel: there is no 'xen'; -accel help lists them"),
        ('-accel jit,slot=off', "-accel jit: no property 'slot'; did you mean slots?"),
        ('-accel jit,slots=2', '-accel jit: slots=2: only on and off are there'),
        ('-accel jit,flush-every=often', '-accel jit: flush-every=often: write a number'),
        ('-accel interp,check=on', "-accel interp: no property 'check'; -accel help lists them"),
        ('-accel jit,llsc=on', '-accel jit: llsc=on: only exact and value are there'),
        ('-accel jit,check=on -smp 2', '-accel jit,check=on compares one processor; leave out -smp 2'),
        ('-icount fast', "-icount fast: no 'fast'; there are on, off and shift=N"),
        ('-icount shift=auto', '-icount shift=auto: shift=auto follows the host\'s time, ...'),
        ('-icount on -accel kvm', "-icount: the host's own processors do not count; ..."),
        ('-icount on -nic user', '-icount: no run is like another with a network; ...'),
        ('-icount on -netdev user,id=n', '-icount: no run is like another with a network; ...'),
        ('-d unimpl', "-d: no log class 'unimpl'; did you mean unimp?"),
        ('-d boot,everything', "-d: no log class 'everything'; -d help lists them"),
        ('-device floppy', "-device: no device 'floppy'; ..."),
        ('-device floppy,help', "-device: no device 'floppy'; ..."),
        ('-device uart16550', "-device: no device 'uart16550'; ..."))


def test_kvm_is_not_for_this_host(s):
    if os.uname().machine == 'loongarch64':
        raise Skip('this host is one that KVM is for')
    refuse_with_kernel(s, ('-accel kvm', '-accel kvm: KVM runs LoongArch machines on LoongArch hosts '
                                         f'only, and this one is {os.uname().machine}; ...'))


def test_properties(s):
    refuse_with_kernel(
        s,
        ('-device virtio-rng-pci,warp=9', "-device virtio-rng-pci,warp=9: ...no property 'warp'; ..."),
        ('-device virtio-rng-pci,addr=x', "-device virtio-rng-pci,addr=x: ..."),
        ('-device virtio-rng-pci,event_idx=1', "-device ...'1' is not on or off"))


def test_devices_and_what_is_behind_them(s):
    disk, odd = write(s.path('disk'), bytes(1 << 20)), write(s.path('odd'), bytes(1000))
    refuse_with_kernel(
        s,
        ('-device virtio-blk-pci,drive=d', "-device virtio-blk-pci,drive=d: ...there is no drive 'd'..."),
        ('-device virtio-blk-pci', '-device virtio-blk-pci: ...'),
        ('-device virtio-net-pci,netdev=n', "-device virtio-net-pci,netdev=n: ...no netdev 'n'..."),
        ('-device virtio-serial-pci,chardev=c', '-device virtio-serial-pci,chardev=c: ...'),
        ('-device virtio-rng', "-device: no device 'virtio-rng'; did you mean virtio-rng-pci?"),
        (f'-drive file={s.dir}/no', f"-drive file={s.dir}/no: open '{s.dir}/no': No such file ..."),
        (f'-drive file={odd}', f'-drive file={odd}: ...1000 bytes...'),
        (f'-drive file={disk} -drive file={disk}', f"-drive file={disk}: '{disk}' is in use: ..."),
        (f'-drive file={disk},if=scsi', f'-drive file={disk},if=scsi: if=scsi: there are ...'),
        (f'-drive file={disk},format=qcow2', f'-drive ...format=qcow2: there is only raw'),
        ('-drive if=virtio', '-drive if=virtio: file= is missing'))
    check_equal(read(disk), bytes(1 << 20))


def test_networks(s):
    refuse_with_kernel(
        s,
        ('-nic usr', "-nic usr: netdev: there is no network 'usr', only user and tap"),
        ('-nic user,model=rtl8139', '-nic user,model=rtl8139: model=rtl8139: there is no such ...'),
        ('-nic tap', '-nic tap: netdev nic0: ifname= is missing, or longer than 15 characters'),
        ('-netdev usr,id=n', "-netdev usr,id=n: ...there is no network 'usr'..."),
        ('-netdev tap,ifname=x', '-netdev ...'))


def test_chardevs(s):
    refuse_with_kernel(
        s,
        ('-chardev fil,id=c', "-chardev fil,id=c: no such console 'fil'; did you mean file?"),
        ('-chardev null', '-chardev null: id= is missing'),
        ('-chardev file,id=c', '-chardev file,id=c: path= is missing'),
        ('-chardev null,id=c -chardev null,id=c', "-chardev: there are two chardevs with id 'c'"),
        ('-chardev stdio,id=c -serial stdio', 'stdio serves one -serial, -chardev or -monitor; ...'),
        (17 * '-chardev null,id=c ', '-chardev: there is room for 16'))


def test_serial_ports(s):
    refuse_with_kernel(
        s,
        ('-serial tcp:1', "-serial: console 'tcp:1': no such back end; there are stdio, ..."),
        ('-serial stdio -serial stdio', 'stdio serves one -serial, -chardev or -monitor; the others can be '
                                        'pty, a file or a unix socket'),
        ('-serial stdio -serial null -serial stdio,escape=off', 'stdio serves one ...'),
        (5 * '-serial null ', '-serial: 5 are given, the machine has 4 serial ports'),
        ('-serial stdio,echo',
         "-serial: console 'stdio,echo': option 'echo' is not escape=on or escape=off"),
        ('-serial file:', "-serial: console 'file:': no path; it is file:PATH"),
        ('-serial unix:', "-serial: console 'unix:': no path; it is unix:PATH"),
        (f'-serial file:{s.dir}', f"-serial: console 'file:{s.dir}': Is a directory"),
        ('-serial file:/no/x', "-serial: console 'file:/no/x': No such file or directory"),
        ('-serial unix:/no/x', "-serial: console 'unix:/no/x': No such file or directory"))


def test_firmware(s):
    missing = s.path('missing')
    refuse_with_kernel(
        s,
        (f'-bios {missing} -drive file=f,if=pflash,format=raw', "firmware (-bios '...both want flash 0"),
        (f'-bios {missing} -drive file=f,if=pflash,unit=0', "firmware (-bios '...both want flash 0"),
        (f'-bios {missing}', f"...open '{missing}': No such file or directory"))
    refuse(s, ['-bios', missing], f"...open '{missing}': No such file or directory")
    bios = write(s.path('bios'), bytes(4096))
    refuse(s, ['-bios', bios, '-initrd', 'x'], 'an initrd (-initrd) is of use only with a kernel ...')
    refuse(s, ['-bios', bios, '-append', 'x'], 'a command line (-append) is of use only with a ...')


def test_log_and_pid_files(s):
    refuse_with_kernel(
        s,
        ('-D /no/log', "-D '/no/log': No such file or directory"),
        (f'-D {s.dir}', f"-D '{s.dir}': Is a directory"),
        ('-pidfile /no/pid', "-pidfile '/no/pid': No such file or directory"),
        (f'-D {s.dir}/x -pidfile {s.dir}/x', f"-pidfile and -D are both '{s.dir}/x'; give two files"))
    check(not os.path.exists(s.path('x')))


def output_options(s, name):
    """Options that make the machine write four files."""
    return ['-d', 'boot', '-D', s.path(name + '.log'), '-pidfile', s.path(name + '.pid'),
            '-serial', 'file:' + s.path(name + '.out'), '-serial', 'pty:' + s.path(name + '.link')]


def test_nothing_is_left_after_an_error(s):
    kernel = s.payload(*HELLO)
    before = sorted(os.listdir(s.dir))
    for bad in (['-m', '5'], ['-initrd', s.path('no')], ['-smp', '99'], ['-serial', 'file:/no/x'],
                ['-cpu', 'x'], ['-device', 'x'], ['-serial', 'unix:']):
        expect_error(s.lh_run(kernel, *output_options(s, 'new'), *bad), 'lh run: ...')
        check_equal(sorted(os.listdir(s.dir)), before)


def test_log_and_pid_file_stay_if_a_console_cannot_be_opened(s):
    kernel, options = s.payload(*HELLO), output_options(s, 'new')[:6]
    before = sorted(os.listdir(s.dir))
    expect_error(s.lh_run(kernel, *options, '-serial', 'unix:/no/x'), 'lh run: -serial: ...')
    check_equal(sorted(os.listdir(s.dir)), before)
    write(s.path('new.log'), b'precious')
    expect_error(s.lh_run(kernel, *options, '-serial', 'unix:/no/x'), 'lh run: -serial: ...')
    check_equal(read(s.path('new.log')), b'precious')


def test_nothing_is_changed_by_an_error(s):
    kernel = s.payload(*HELLO)
    for name in ('old.log', 'old.pid', 'old.out'):
        write(s.path(name), b'precious')
    for bad in (['-m', '5'], ['-initrd', s.path('no')], ['-smp', '99'], ['-device', 'no'],
                ['-nic', 'no'], ['-drive', 'file=' + s.path('no')]):
        expect_error(s.lh_run(kernel, *output_options(s, 'old'), *bad), 'lh run: ...')
        for name in ('old.log', 'old.pid', 'old.out'):
            check_equal(read(s.path(name)), b'precious')
    check(not os.path.exists(s.path('old.link')))


main()
