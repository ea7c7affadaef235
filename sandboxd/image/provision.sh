#!/bin/sh
# Turns a Debian root filesystem with the packages of packages.txt into the base of a sandbox.
# Runs as root inside of it (a chroot or a build container), once. Takes the folder with node_modules as $1.
set -eu
toolchain=$1

# --- Node.js, npm, TypeScript ---
mkdir -p /usr/local/bin /usr/local/lib/node_modules
mv "$toolchain"/node_modules/npm "$toolchain"/node_modules/typescript /usr/local/lib/node_modules/
mv "$toolchain"/node_modules/node-linux-*/bin/node /usr/local/bin/node
chown -R root:root /usr/local
chmod -R u+rwX,go+rX,go-w /usr/local
strip --strip-unneeded /usr/local/bin/node
chmod 0755 /usr/local/bin/node
for name in npm npx; do
  ln -s "../lib/node_modules/npm/bin/$name-cli.js" "/usr/local/bin/$name"
done
for name in tsc tsserver; do
  ln -s "../lib/node_modules/typescript/bin/$name" "/usr/local/bin/$name"
done
chmod 0755 /usr/local/lib/node_modules/npm/bin/*-cli.js /usr/local/lib/node_modules/typescript/bin/*
mkdir -p /usr/local/etc
# The prefix is the user's own, so that `npm install -g` needs no root.
cat >/usr/local/etc/npmrc <<'NPMRC'
prefix=${HOME}/.local
audit=false
fund=false
update-notifier=false
NPMRC

# --- The user ---
groupadd --gid 1000 agent
useradd --uid 1000 --gid 1000 --shell /bin/bash --home-dir /home/agent --create-home agent
install -d -o agent -g agent -m 0755 /workspace /home/agent/.local /home/agent/.local/bin
# A login shell sets PATH anew.
cat >/etc/profile.d/local-bin.sh <<'PROFILE'
PATH=$HOME/.local/bin:$PATH
PROFILE

# --- Defaults of programs ---
# Root in a sandbox installs from where the base came from; how that was reached from here means nothing inside.
rm -f /etc/apt/apt.conf.d/99mmdebstrap
echo 'Acquire::Languages "none";' >/etc/apt/apt.conf.d/99sandbox
# The marker makes pip refuse to install outside of a virtual environment. It guards a system that somebody
# administers; here `pip install` goes to ~/.local and the machine lives as long as its job.
rm -f /usr/lib/python3*/EXTERNALLY-MANAGED
cat >/etc/pip.conf <<'PIP'
[global]
disable-pip-version-check = true
root-user-action = ignore
PIP
cat >/etc/gitconfig <<'GIT'
[init]
	defaultBranch = main
[user]
	name = Agent
	email = agent@localhost
[safe]
	directory = *
[advice]
	detachedHead = false
GIT
# A sandbox has no route out: ssh goes through sandboxd's proxy like everything else.
cat >/etc/ssh/ssh_config.d/egress.conf <<'SSH'
Host * !localhost !127.0.0.1
	ProxyCommand socat - PROXY:127.0.0.1:%h:%p,proxyport=3128
	StrictHostKeyChecking accept-new
SSH

# --- /opt/sandboxd: what sandboxd runs on, independent of the rest of the file system ---
runtime=/opt/sandboxd
install -d -m 0755 "$runtime" "$runtime/bin" "$runtime/lib"
# A hard link costs no space; the name keeps an agent's `killall node` or `pkill -f node` away from the daemon.
ln /usr/local/bin/node "$runtime/bin/sandboxd"
cp /usr/bin/socat /usr/bin/sleep "$runtime/bin/"
cp /bin/dash "$runtime/bin/sh"
for program in sandboxd socat sh sleep; do
  ldd "$runtime/bin/$program" | awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }'
done | sort -u | while read -r library; do
  cp -Lu "$library" "$runtime/lib/"
done
loader=$(cd "$runtime/lib" && ls ld-linux*)
mv "$runtime/lib/$loader" "$runtime/lib/ld.so"
# The small programs are pointed at their own loader and libraries, so that starting one costs no wrapper.
# Node stays as it was built: init starts it through the loader.
for program in socat sh sleep; do
  patchelf --set-interpreter "$runtime/lib/ld.so" --force-rpath --set-rpath "$runtime/lib" "$runtime/bin/$program"
done

# --- Nothing that gives more rights, nothing that is not needed ---
find / -xdev \( -type f -o -type d \) -perm /6000 -exec chmod ug-s {} +
rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/* /tmp/* /var/tmp/*
: >/etc/machine-id
