// SPDX-License-Identifier: MIT
#include "backends/offered_types.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace mapspec {
namespace {

// Makes ARRAYs and other maps, or does not.
class Maker final : public Backend {
 public:
  Maker(Errno arrays, Errno others) : arrays_(arrays), others_(others) {}
  std::string_view name() const override { return "maker"; }
  const Environment& environment() const override { return environment_; }
  const CapabilitySet& capabilities() const override { return capabilities_; }
  std::string default_profile() const override { return "documented"; }
  std::unique_ptr<Session> NewSession(std::string*) override {
    return std::make_unique<Making>(*this);
  }
  void BeKernel() { environment_.kernel_release = "6.18.0"; }
  void HaveSockets() { capabilities_.set(static_cast<size_t>(Capability::kAfXdp)); }

 private:
  class Making final : public Session {
   public:
    explicit Making(const Maker& maker) : maker_(maker) {}
    void Run(std::span<const Operation> operations, std::vector<Outcome>* outcomes) override {
      for (const Operation& operation : operations) {
        const bool array = std::get<MapCreate>(operation.call).type == MapType::ARRAY;
        outcomes->emplace_back().error = array ? maker_.arrays_ : maker_.others_;
      }
    }

   private:
    const Maker& maker_;
  };
  Environment environment_;
  CapabilitySet capabilities_;
  Errno arrays_;
  Errno others_;
};

TEST(OfferedTypes, ATypeIsLackingWhenItsNumberMeansNothing) {
  Maker lacks(Errno::kNone, Errno::kEINVAL);
  EXPECT_FALSE(OffersMapType(lacks, MapType::LRU_HASH));
  EXPECT_FALSE(OffersMapType(lacks, MapType::XSKMAP));
  Maker has(Errno::kNone, Errno::kNone);
  EXPECT_TRUE(OffersMapType(has, MapType::LRU_HASH));
}

TEST(OfferedTypes, AnotherErrorIsAFaultAndNoLack) {
  Maker out_of_memory(Errno::kNone, Errno::kENOMEM);
  EXPECT_TRUE(OffersMapType(out_of_memory, MapType::LRU_HASH));
}

TEST(OfferedTypes, WhoMakesNoArraysLacksNothing) {
  Maker refuses(Errno::kEINVAL, Errno::kEINVAL);
  EXPECT_TRUE(OffersMapType(refuses, MapType::LRU_HASH));
}

TEST(OfferedTypes, AKernelLacksNothingButXskmapsWhereThereAreNoSockets) {
  Maker kernel(Errno::kNone, Errno::kEINVAL);
  kernel.BeKernel();
  EXPECT_TRUE(OffersMapType(kernel, MapType::LRU_HASH));
  EXPECT_TRUE(OffersMapType(kernel, MapType::HASH_OF_MAPS));
  EXPECT_FALSE(OffersMapType(kernel, MapType::XSKMAP));
  kernel.HaveSockets();
  EXPECT_TRUE(OffersMapType(kernel, MapType::XSKMAP));
}

}  // namespace
}  // namespace mapspec
