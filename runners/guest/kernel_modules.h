// SPDX-License-Identifier: MIT
//
// Kernel modules a guest has to load: found by name in a kernel's directory of modules,
// decompressed, in an order in which each comes after those it depends on. What a module depends on
// is read from the module itself (the line depends=… of its .modinfo section): a directory that was
// only unpacked has no modules.dep yet.
#ifndef RUNNERS_GUEST_KERNEL_MODULES_H_
#define RUNNERS_GUEST_KERNEL_MODULES_H_

#include <string>
#include <string_view>
#include <vector>

namespace mapspec {

struct KernelModule {
  std::string name;     // "veth"
  std::string content;  // As init_module(2) takes it.
};

// Modules that a test of the suite may need, where the kernel has them as modules.
std::vector<std::string> WantedModules();

// The directory with the modules of the kernel `release` whose image lies at `image_path`: beside
// the image, in the tree it was built in, or /lib/modules/RELEASE. "" where there is none.
std::string FindModuleDirectory(const std::string& image_path, const std::string& release);

// Names that are no module there (built in, or not configured) are left out. False after filling
// *error when one cannot be read.
bool CollectModules(const std::string& directory, const std::vector<std::string>& names,
                    std::vector<KernelModule>* modules, std::string* error);

// Names that the module's depends=… lists.
std::vector<std::string> ModuleDependencies(std::string_view module);

// "foo" of "…/foo.ko.xz", with '-' as '_', since modules are known by both; "" for another file.
std::string ModuleNameOf(std::string_view path);

}  // namespace mapspec

#endif  // RUNNERS_GUEST_KERNEL_MODULES_H_
